"""The corpus in numbers: what the windows are composed of."""

from dataclasses import dataclass

import numpy as np

from grammar import split_sentence
from mel import LEAD_FRAMES, power_mel
from synth import SAMPLE_RATE

# A word before a comma ends this much before the next one starts, but lasts at least the minimum.
COMMA_PAUSE_S = 0.12
MIN_WORD_BEFORE_COMMA_S = 0.1

# Background noise: its length, its RMS, and its slopes (power falls with frequency ** slope:
# white, pink, brown and one between white and pink).
NOISE_S = 40
NOISE_LEVEL = 0.1
NOISE_SLOPES = (0, 1, 2, 0.5)
HUM_HZ = 50
HUM_HARMONICS = 8


@dataclass(frozen=True)
class TimedToken:
    """`column` of the reduced vocabulary, spoken from `start_s` to `end_s` in word number `word`."""

    column: int
    start_s: float
    end_s: float
    word: int

    def shifted(self, by_s):
        return TimedToken(self.column, self.start_s + by_s, self.end_s + by_s, self.word)

    @property
    def is_punctuation(self):
        return self.start_s == self.end_s


@dataclass(frozen=True)
class Utterance:
    """A spoken sentence with everything that the model is to learn from it, as numbers."""

    power: np.ndarray
    tokens: list
    word_starts: np.ndarray
    word_ends: np.ndarray
    word_classes: list
    phoneme_starts: np.ndarray
    phoneme_ends: np.ndarray
    phoneme_ids: list  # 0: a pause

    @property
    def start_s(self):
        return float(self.word_starts[0])

    @property
    def end_s(self):
        return float(self.word_ends[-1])

    @property
    def duration_s(self):
        return float(self.word_ends[-1] - self.word_starts[0])


class Corpus:
    """All utterances, by language and voice, and some noises. Sets the vocabulary's `phoneme_count`."""

    def __init__(self, sentences, vocabulary):
        self.vocabulary = vocabulary
        names = {name for sentence in sentences for name in sentence.phonemes if not name.startswith("_")}
        phoneme_ids = {name: number for number, name in enumerate(sorted(names), start=1)}
        vocabulary.phoneme_count = len(names) + 1
        self._by_voice = {}
        for sentence in sentences:
            utterance = _utterance(sentence, vocabulary, phoneme_ids)
            self._by_voice.setdefault((sentence.language, sentence.voice), []).append(utterance)
        self._voices = {
            language: [voice for voice in self._by_voice if voice[0] == language] for language in ("en", "de")
        }
        self.noises = _noises(vocabulary.file.mel_filters)

    def draw_voice(self, rng, language):
        return rng.choice(self._voices[language])

    def draw_utterance(self, rng, voice):
        return rng.choice(self._by_voice[voice])


def _utterance(sentence, vocabulary, phoneme_ids):
    words = split_sentence(sentence.text)
    if len(words) != len(sentence.word_starts):
        raise ValueError(f"words and times differ in number: {sentence.text}")
    return Utterance(
        power=sentence.power,
        tokens=_timed_tokens(sentence, words, vocabulary),
        word_starts=sentence.word_starts,
        word_ends=sentence.word_ends,
        word_classes=[vocabulary.word_class[(sentence.language, word.lower())] for word, _ in words],
        phoneme_starts=sentence.phoneme_starts,
        phoneme_ends=np.append(sentence.phoneme_starts[1:], sentence.end_s),
        phoneme_ids=[phoneme_ids.get(name, 0) for name in sentence.phonemes],
    )


def _timed_tokens(sentence, words, vocabulary):
    """A word's time is shared evenly among its tokens; punctuation has the time of the word's end."""
    tokens = []
    for number, (word, mark) in enumerate(words):
        columns = vocabulary.columns(word)
        start, end = float(sentence.word_starts[number]), float(sentence.word_ends[number])
        if mark == "," and number + 1 < len(words):
            end = max(start + MIN_WORD_BEFORE_COMMA_S, end - COMMA_PAUSE_S)
        for place, column in enumerate(columns):
            token_start = start + (end - start) * place / len(columns)
            token_end = start + (end - start) * (place + 1) / len(columns)
            tokens.append(TimedToken(column, token_start, token_end, number))
        if mark:
            tokens.append(TimedToken(vocabulary.punctuation(mark), end, end, number))
    return tokens


def _noises(filters):
    """Power spectra (frames, 80) of noises of different colours and of mains hum."""
    inner = slice(LEAD_FRAMES, -LEAD_FRAMES)
    state = np.random.RandomState(0)
    count = SAMPLE_RATE * NOISE_S
    noises = []
    for slope in NOISE_SLOPES:
        spectrum = np.fft.rfft(state.randn(count))
        frequency = np.arange(len(spectrum)) + 20.0
        audio = np.fft.irfft(spectrum * frequency ** (-slope / 2), count)
        noises.append(power_mel(_at_noise_level(audio), filters)[inner])
    time = np.arange(count)
    hum = sum(
        np.sin(2 * np.pi * HUM_HZ * harmonic * time / SAMPLE_RATE + harmonic) / harmonic
        for harmonic in range(1, HUM_HARMONICS + 1)
    )
    power = power_mel(_at_noise_level(hum), filters)[inner]
    noises.append(power * 0.7 + noises[0][: len(power)] * 0.3)
    return noises


def _at_noise_level(audio):
    return (audio / audio.std() * NOISE_LEVEL).astype(np.float32)
