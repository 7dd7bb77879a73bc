"""Speech from espeak-ng, in this process (ctypes): audio with the times of words and phonemes."""

import ctypes
import functools
import re
from dataclasses import dataclass

import numpy as np

SAMPLE_RATE = 16000
ESPEAK_RATE = 22050

# From espeak-ng's speak_lib.h.
AUDIO_OUTPUT_SYNCHRONOUS = 2
BUFFER_MS = 500
INITIALIZE_PHONEME_EVENTS = 1
POSITION_IN_CHARACTERS = 1
CHARACTERS_UTF8 = 1
PARAMETER_SPEED = 1
PARAMETER_PITCH = 3
PARAMETER_PITCH_RANGE = 4
EVENT_LIST_END = 0
EVENT_WORD = 1
EVENT_PHONEME = 7

# Loudness is looked at in blocks of 5 ms; those within 38 dB of the loudest are speech.
BLOCK = 80
SPEECH_THRESHOLD = 0.0126
# What is left around the speech: 20 ms.
MARGIN = 320
# RMS of the result: -20 dBFS.
LEVEL = 0.1
# 22,050 Hz to 16 kHz is 2205 samples to 1600 (0.1 s).
RESAMPLE_IN, RESAMPLE_OUT = 2205, 1600
# A word that begins less than this after the one before is an event in the wrong place.
MIN_WORD_S = 0.02


class UnknownVoice(ValueError):
    """espeak-ng has no voice of that name."""


@dataclass(frozen=True)
class Speech:
    """`audio`: float32 at 16 kHz, the speech and 20 ms around it. Times are seconds from its start."""

    audio: np.ndarray
    start_s: float
    end_s: float
    # Start of a word by the place of its first character in the text.
    word_starts: dict
    # (start, espeak-ng's name of the phoneme); names with an underscore are pauses.
    phonemes: list


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Espeak:
    """The library and what its callback has collected since the last `say`."""

    def __init__(self):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        rate = self.library.espeak_Initialize(
            AUDIO_OUTPUT_SYNCHRONOUS, BUFFER_MS, None, INITIALIZE_PHONEME_EVENTS
        )
        if rate != ESPEAK_RATE:
            raise RuntimeError(f"espeak-ng speaks at {rate} Hz, not {ESPEAK_RATE}")
        self.callback = _Callback(self._collect)  # kept here, or it would be freed
        self.library.espeak_SetSynthCallback(self.callback)

    def _collect(self, samples, count, events):
        if count > 0 and samples:
            self.audio.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        for event in _until_end(events):
            if event.type == EVENT_WORD:
                self.words.append((event.text_position, event.sample))
            if event.type == EVENT_PHONEME:
                name = event.id.string.split(b"\0")[0].decode("utf8", "replace")
                self.phonemes.append((event.sample, name))
        return 0

    def say(self, text, voice, speed, pitch, pitch_range):
        """Speaks a text.

        -> 16-bit audio at 22,050 Hz; words as (position in the text from 1, sample); phonemes as
        (sample, name)
        """
        self.audio, self.words, self.phonemes = [], [], []
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise UnknownVoice(voice)
        self.library.espeak_SetParameter(PARAMETER_SPEED, speed, 0)
        self.library.espeak_SetParameter(PARAMETER_PITCH, pitch, 0)
        self.library.espeak_SetParameter(PARAMETER_PITCH_RANGE, pitch_range, 0)
        data = text.encode("utf8")
        self.library.espeak_Synth(
            data, len(data) + 1, 0, POSITION_IN_CHARACTERS, 0, CHARACTERS_UTF8, None, None
        )
        self.library.espeak_Synchronize()
        return np.concatenate(self.audio), self.words, self.phonemes


def _until_end(events):
    index = 0
    while events[index].type != EVENT_LIST_END:
        yield events[index]
        index += 1


@functools.lru_cache(maxsize=None)
def _espeak():
    return _Espeak()


def resample(audio):
    """22,050 Hz -> 16 kHz by cutting the spectrum; the length is rounded up to 0.1 s."""
    periods = -(-len(audio) // RESAMPLE_IN)
    length_in, length_out = periods * RESAMPLE_IN, periods * RESAMPLE_OUT
    spectrum = np.fft.rfft(np.pad(audio, (0, length_in - len(audio))))
    return np.fft.irfft(spectrum[: length_out // 2 + 1], length_out) * (length_out / length_in)


def _speech_bounds(audio):
    """First sample of the speech and the one after its last."""
    blocks = len(audio) // BLOCK
    loudness = np.sqrt((audio[: blocks * BLOCK].reshape(blocks, BLOCK) ** 2).mean(1) + 1e-12)
    loud = np.where(loudness > loudness.max() * SPEECH_THRESHOLD)[0]
    return loud[0] * BLOCK, (loud[-1] + 1) * BLOCK


def synthesize(text, voice, speed=165, pitch=50, pitch_range=50):
    """Speaks a text. -> Speech; raises UnknownVoice.

    `speed`: words a minute; `pitch`, `pitch_range`: 0..99.
    """
    raw, words, phonemes = _espeak().say(text, voice, speed, pitch, pitch_range)
    audio = resample(raw.astype(np.float32) / 32768).astype(np.float32)
    speech_from, speech_to = _speech_bounds(audio)
    cut_from, cut_to = max(0, speech_from - MARGIN), min(len(audio), speech_to + MARGIN)
    audio = audio[cut_from:cut_to]
    audio = audio / np.sqrt((audio**2).mean() + 1e-12) * LEVEL

    def seconds(espeak_sample):
        return (espeak_sample / ESPEAK_RATE * SAMPLE_RATE - cut_from) / SAMPLE_RATE

    word_starts = {}
    for position, sample in words:
        word_starts.setdefault(position - 1, seconds(sample))
    return Speech(
        audio=audio,
        start_s=(speech_from - cut_from) / SAMPLE_RATE,
        end_s=(speech_to - cut_from) / SAMPLE_RATE,
        word_starts=word_starts,
        phonemes=[(seconds(sample), name) for sample, name in phonemes],
    )


def word_times(text, speech):
    """Starts and ends (s) of the text's words, split at spaces. A word ends where the next begins."""
    starts = [speech.word_starts.get(match.start()) for match in re.finditer(r"\S+", text)]
    starts[0] = speech.start_s
    _drop_misplaced(starts, speech.end_s)
    _fill_missing(starts, [len(word) for word in text.split()], speech.end_s)
    return starts, [*starts[1:], speech.end_s]


def _drop_misplaced(starts, end_s):
    """Sets starts to None that are not after the words before, or not before the end of the speech."""
    for index in range(1, len(starts)):
        if starts[index] is None:
            continue
        latest = max(start for start in starts[:index] if start is not None)
        if starts[index] <= latest + MIN_WORD_S or starts[index] >= end_s:
            starts[index] = None


def _fill_missing(starts, lengths, end_s):
    """Shares the time between two known starts among the words there, by their number of letters."""
    index = 0
    while index < len(starts):
        if starts[index] is None:
            after = index
            while after < len(starts) and starts[after] is None:
                after += 1
            before_s = starts[index - 1]
            after_s = starts[after] if after < len(starts) else end_s
            letters = lengths[index - 1 : after]
            shares = np.cumsum(letters) / sum(letters)
            for missing in range(index, after):
                starts[missing] = before_s + (after_s - before_s) * shares[missing - index]
            index = after
        index += 1
