"""Recordings with known words: sentences one after the other, as WAV, with a reference in JSON.

    python3 recordings.py work/test        # the evaluation sets
"""

import argparse
import json
import random
import wave
from pathlib import Path

import numpy as np

from grammar import held_out_sentences, sample_sentence
from synth import SAMPLE_RATE, synthesize, word_times

# Voices that were trained on, and ones that never were.
SEEN_VOICES = [
    "en-us",
    "gmw/en",
    "en-gb-x-rp",
    "en-us+f2",
    "en-us+m3",
    "gmw/en+f1",
    "gmw/en+m1",
    "en-gb-x-rp+f4",
    "en-us+f5",
    "en-gb-scotland+m7",
]
UNSEEN_VOICES = ["en-us+Annie", "en-us+benjamin", "gmw/en+Annie", "gmw/en+benjamin"]
GERMAN_VOICES = ["de", "de+f2", "de+m3"]
LONG_PAIRS = [
    ["en-us+m3", "en-us+f2"],
    ["gmw/en+m1", "en-us+f4"],
    ["en-us", "gmw/en+f3"],
    ["en-us+Annie", "gmw/en"],
    ["en-gb-x-rp", "en-us+f1"],
]


def write_wav(path, audio):
    """Writes 16 kHz mono, 16 bit; `audio` is in -1..1, louder is clipped."""
    pcm = np.clip(audio * 32767, -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm.tobytes())


def make_recording(
    path,
    rng,
    voices,
    texts,
    lead_s,
    pause_s,
    tail_s,
    gain_db=0.0,
    noise_dbfs=None,
    speed=None,
    stop_after_s=None,
):
    """Writes `path` (.wav) and the .ref.json beside it: the voices speak the texts in turn.

    `lead_s`, `tail_s`: silence before and after; `pause_s()`: silence between two sentences;
    `speed`: words a minute, random if None; `stop_after_s`: no further sentence after that time.
    """
    pieces = [np.zeros(int(lead_s * SAMPLE_RATE), np.float32)]
    length = len(pieces[0])
    sentences = []
    for number, text in enumerate(texts):
        voice = voices[number % len(voices)]
        speech = synthesize(text, voice, speed or rng.randint(155, 185))
        sentences.append(_sentence_reference(text, voice, speech, length / SAMPLE_RATE))
        is_last = number == len(texts) - 1
        silence = int((tail_s if is_last else pause_s()) * SAMPLE_RATE)
        pieces += [speech.audio, np.zeros(silence, np.float32)]
        length += len(speech.audio) + silence
        if stop_after_s and length / SAMPLE_RATE > stop_after_s:
            break
    audio = np.concatenate(pieces) * 10 ** (gain_db / 20)
    if noise_dbfs is not None:
        noise = np.random.RandomState(rng.randint(0, 10**6)).randn(len(audio)).astype(np.float32)
        audio = audio + noise * 10 ** (noise_dbfs / 20)
    write_wav(path, audio)
    reference = {"file": path.name, "duration": len(audio) / SAMPLE_RATE, "sentences": sentences}
    with open(path.with_suffix(".ref.json"), "w", encoding="utf-8") as file:
        json.dump(reference, file, indent=1, ensure_ascii=False)


def _sentence_reference(text, voice, speech, offset_s):
    """The reference of one sentence, with seconds from the start of the file."""

    def in_file(seconds):
        return round(offset_s + seconds, 3)

    starts, ends = word_times(text, speech)
    return {
        "text": text,
        "voice": voice,
        "start": in_file(speech.start_s),
        "end": in_file(speech.end_s),
        "words": [
            {"w": word, "start": in_file(start), "end": in_file(end)}
            for word, start, end in zip(text.split(), starts, ends)
        ],
    }


class EvaluationSets:
    """Makes all evaluation sets into one folder, always the same ones."""

    def __init__(self, folder):
        self.folder = folder
        self.rng = random.Random(4242)
        texts = held_out_sentences(400)
        self.rng.shuffle(texts)
        self.held_out = iter(texts)

    def make(self):
        self._single_sentences("seen", 100, SEEN_VOICES)
        self._single_sentences("unseen", 60, UNSEEN_VOICES)
        self._long_files()
        for number in range(12):
            self._one("noisy", number, SEEN_VOICES, [next(self.held_out)], noise_dbfs=-42)
        for number in range(12):
            self._one("quiet", number, SEEN_VOICES, [next(self.held_out)], gain_db=-20)
        self._late_starts()
        self._silence_and_noise()
        texts = [sample_sentence(self.rng, "de") for _ in range(30)]
        for number, text in enumerate(texts):
            self._one("de", number, GERMAN_VOICES, [text])

    def _path(self, name, number):
        return self.folder / f"{name}{number:03d}.wav"

    def _one(self, name, number, voices, texts, **options):
        voice = voices[number % len(voices)]
        make_recording(self._path(name, number), self.rng, [voice], texts, 0.3, lambda: 0, 0.5, **options)

    def _single_sentences(self, name, count, voices):
        for number in range(count):
            text = next(self.held_out)
            lead_s, tail_s = self.rng.uniform(0.0, 0.6), self.rng.uniform(0.1, 0.8)
            voice = voices[number % len(voices)]
            make_recording(self._path(name, number), self.rng, [voice], [text], lead_s, lambda: 0, tail_s)

    def _long_files(self):
        """Five conversations of 60 to 120 s; the first three with long pauses, the last with noise."""
        for number, voices in enumerate(LONG_PAIRS):
            if number == 0:
                texts = [next(self.held_out) for _ in range(40)]
            else:
                texts = [sample_sentence(self.rng) for _ in range(60)]
            longest_pause_s = 3.0 if number < 3 else 1.2
            make_recording(
                self.folder / f"long{number}.wav",
                self.rng,
                voices,
                texts,
                self.rng.uniform(0, 2.5),
                lambda longest_s=longest_pause_s: self.rng.uniform(0.3, longest_s),
                1.0,
                stop_after_s=60 + 15 * number,
                noise_dbfs=-55 if number == 4 else None,
            )

    def _late_starts(self):
        for number in range(12):
            texts = [next(self.held_out), next(self.held_out)]
            voice = SEEN_VOICES[number % len(SEEN_VOICES)]
            make_recording(
                self._path("lead", number),
                self.rng,
                [voice],
                texts,
                self.rng.uniform(1.2, 12),
                lambda: self.rng.uniform(0.3, 3),
                0.5,
            )

    def _silence_and_noise(self):
        state = np.random.RandomState(1)
        for seconds in (30, 5, 75):
            write_wav(self.folder / f"sil{seconds:02d}.wav", np.zeros(seconds * SAMPLE_RATE))
        for dbfs in (-70, -55, -40):
            noise = state.randn(30 * SAMPLE_RATE) * 10 ** (dbfs / 20)
            write_wav(self.folder / f"nz{-dbfs}.wav", noise)


def main():
    parser = argparse.ArgumentParser(description="Make the evaluation sets: WAV files with references.")
    parser.add_argument("folder", type=Path, help="folder to write to, such as work/test")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    EvaluationSets(folder).make()


if __name__ == "__main__":
    main()
