"""Mel spectra with the frames that whisper.cpp computes: 25 ms Hann windows every 10 ms."""

import numpy as np

FRAME = 400
HOP = 160
MEL_FRAMES_PER_S = 100
# Silence put before and after the audio. The first part is 3 hops, so frames stay on whole hops.
LEAD_FRAMES = 3
PADDING = LEAD_FRAMES * HOP + FRAME // 2

HANN = (0.5 * (1 - np.cos(2 * np.pi * np.arange(FRAME) / FRAME))).astype(np.float32)


def power_mel(audio, filters):
    """Power (not its logarithm, so that sounds can be added) of 16 kHz audio in each mel band.

    `filters`: (80, 201). -> (frames, 80) float32; frame k is centred on sample (k - 3) * 160 of the audio.
    """
    silence = np.zeros(PADDING, np.float32)
    audio = np.concatenate([silence, audio, silence])
    count = (len(audio) - FRAME) // HOP + 1
    strides = (audio.strides[0] * HOP, audio.strides[0])
    frames = np.lib.stride_tricks.as_strided(audio, (count, FRAME), strides) * HANN
    power = np.abs(np.fft.rfft(frames)) ** 2
    return power.astype(np.float32) @ filters.T


def log_power(power):
    """Logarithm (base 10) of the power, from 1e-10 up."""
    return np.log10(np.maximum(power, 1e-10))


def scale(logarithm, reference):
    """Whisper's input: not more than 8 below the loudest band (`reference`), scaled to about -1..1."""
    return (np.maximum(logarithm, reference - 8) + 4) / 4
