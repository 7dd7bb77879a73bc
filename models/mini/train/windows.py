"""Composes what a window of audio could hold: several voices, pauses, noise, cuts at its edges."""

from dataclasses import dataclass, field

import numpy as np

from mel import LEAD_FRAMES, MEL_FRAMES_PER_S, log_power, scale

MEL_BANDS = 80
# An encoder frame is two mel frames: 20 ms.
FRAME_S = 0.02
FRAMES_PER_S = 50

# Words that stick out of the window by not more than this still count as heard.
EDGE_TOLERANCE_S = 0.04
ROUNDING_S = 0.001


def decibels(value):
    """-> factor of the amplitude"""
    return 10 ** (value / 20)


@dataclass(frozen=True)
class WindowShape:
    """`frames`: length in encoder frames of 20 ms. `offset`: the frame of the 30 s where it begins.

    `full`: the whole 30 s, with sentences cut at its end; else only whole ones, unless the file ends.
    """

    frames: int
    offset: int = 0
    full: bool = False

    @property
    def duration_s(self):
        return self.frames * FRAME_S


@dataclass(frozen=True)
class HeardSentence:
    """The part of a sentence that is heard. Times are seconds from the window's start."""

    start_s: float
    end_s: float
    tokens: list


@dataclass
class Window:
    """A composed window. Its frames are those of the encoder (20 ms), the mel frames half as long."""

    shape: WindowShape
    language: str
    speakers: list
    silent: bool
    mel: np.ndarray = None  # (80, 2 * frames) float32
    word_labels: np.ndarray = None  # (frames,) word class, 0: none
    phoneme_labels: np.ndarray = None  # (frames,) phoneme, 0: none
    sentences: list = field(default_factory=list)  # HeardSentence
    # Where a sentence starts that goes on beyond the window, and what of it is heard.
    cut_s: float = None
    cut_tokens: list = field(default_factory=list)

    @property
    def speech_start_s(self):
        """Where the first sentence starts; None: nothing is said."""
        return self.sentences[0].start_s if self.sentences else self.cut_s


class WindowComposer:
    """Draws one window. The order of the draws is part of what a seed means: keep it."""

    def __init__(self, corpus, rng, shape):
        self.corpus = corpus
        self.rng = rng
        self.shape = shape
        self.duration_s = shape.duration_s

    def compose(self):
        """-> Window"""
        language = "de" if self.rng.random() < 0.10 else "en"
        count = self.rng.choice((1, 1, 2, 2, 3))
        speakers = [self.corpus.draw_voice(self.rng, language) for _ in range(count)]
        self.gains = self._draw_gains(speakers)
        silent = self.rng.random() < (0.05 if self.shape.full else 0.03)
        self.window = Window(self.shape, language, speakers, silent)
        self.window.word_labels = np.zeros(self.shape.frames, np.int64)
        self.window.phoneme_labels = np.zeros(self.shape.frames, np.int64)
        self.power = np.zeros((2 * self.shape.frames, MEL_BANDS), np.float32)
        # The end of the file: silence, not even noise, comes after it.
        self.end_s = self._draw_end()
        self.pace = self.rng.random()
        start_s = self._draw_start()
        starts_inside = self.rng.random() < (0.12 if self.shape.full else 0.08) and not silent
        if not silent:
            self._lay_sentences(start_s, starts_inside)
        self._colour()
        self._add_noise()
        self.window.mel = self._mel()
        return self.window

    def draw_pause(self):
        """Seconds between two sentences, after the pace of this conversation."""
        if self.rng.random() < 0.04 and self.shape.full:
            return self.rng.uniform(3, 8)
        if self.pace < 0.4:
            return self.rng.uniform(0.15, 0.8)
        if self.pace < 0.8:
            return self.rng.uniform(0.3, 1.6)
        return self.rng.uniform(0.3, 3.2)

    def _draw_gains(self, speakers):
        """Amplitude factor by voice: one level, and each voice up to 4 dB off it."""
        for _ in speakers:
            self.rng.uniform(-20, 6)  # unused; drawn so that the windows of earlier stages come again
        loud_level = decibels(self.rng.uniform(-6, 0))
        level = loud_level if self.rng.random() < 0.3 else decibels(self.rng.uniform(-20, 4))
        return {voice: level * decibels(self.rng.uniform(-4, 4)) for voice in speakers}

    def _draw_end(self):
        if self.shape.full:
            return self.rng.uniform(1.0, 30.0) if self.rng.random() < 0.45 else self.duration_s
        if self.rng.random() < 0.5:
            return self.duration_s
        return self.rng.uniform(self.duration_s * 0.5, self.duration_s)

    def _draw_start(self):
        """Where the first sentence starts: mostly at once, or within the first second."""
        kind = self.rng.random()
        if self.shape.full:
            ranges = ((0.4, -0.07, 0.14), (0.72, 0, 1.2), (0.93, 0.8, 5), (1, 5, 25))
        else:
            ranges = ((0.4, -0.05, 0.15), (0.85, 0, 1.2), (1, 0.5, self.duration_s * 0.5))
        for limit, low, high in ranges:
            if kind < limit:
                return self.rng.uniform(low, high)
        raise AssertionError("random() is below 1")

    def _lay_sentences(self, start_s, starts_inside):
        """Fills the window from `start_s` to its end.

        `starts_inside`: the window begins in the middle of the first sentence.
        """
        is_first = True
        while start_s < self.end_s - 0.02:
            end_s = self._lay_sentence(start_s, is_first and starts_inside)
            if end_s is None:
                break
            start_s = end_s + self.draw_pause()
            is_first = False

    def _lay_sentence(self, start_s, starts_inside):
        """Adds a sentence that starts at `start_s`. -> its end, or None when it was the last."""
        voice = self.rng.choice(self.window.speakers)
        utterance = self.corpus.draw_utterance(self.rng, voice)
        # The mel frame of the utterance's first sample.
        origin = int(round((start_s - utterance.start_s) * 100))
        if starts_inside:
            origin = -int(self.rng.uniform(0.15, max(0.2, utterance.end_s - 0.2)) * 100)
        shift_s = origin * 0.01
        start_s, end_s = utterance.start_s + shift_s, utterance.end_s + shift_s
        fate = self._fate(start_s, end_s)
        if fate == "dropped":
            return None
        self._add_power(utterance, origin, voice)
        self._label_frames(utterance, shift_s)
        tokens = [token.shifted(shift_s) for token in utterance.tokens]
        if starts_inside:
            tokens = [
                token for token in tokens if utterance.word_starts[token.word] + shift_s >= -EDGE_TOLERANCE_S
            ]
            start_s = tokens[0].start_s if tokens else 0
        if fate == "file ends":
            tokens = self._before_file_end(tokens, utterance, shift_s)
            end_s = tokens[-1].end_s if tokens else 0
        if fate == "window ends":
            self._cut(start_s, tokens, utterance, shift_s)
            return None
        if tokens:
            self.window.sentences.append(HeardSentence(max(0, start_s), min(end_s, self.end_s), tokens))
        return end_s if fate == "whole" else None

    def _fate(self, start_s, end_s):
        """What becomes of a sentence: whole, dropped, or which end it runs into."""
        if end_s <= self.end_s + ROUNDING_S:
            return "whole"
        if self.end_s < self.duration_s - 0.05 or not self.shape.full:
            ends_inside = self.rng.random() < 0.25 and start_s < self.end_s - 0.3
            return "file ends" if ends_inside else "dropped"
        return "window ends"

    def _add_power(self, utterance, origin, voice):
        first = origin - LEAD_FRAMES
        low = max(0, -first)
        high = min(len(utterance.power), self._end_frame() - first)
        if high > low:
            gain = self.gains[voice] * decibels(self.rng.uniform(-1.5, 1.5))
            self.power[first + low : first + high] += utterance.power[low:high] * np.float32(gain**2)

    def _end_frame(self):
        return int(self.end_s * MEL_FRAMES_PER_S + 0.5)

    def _label_frames(self, utterance, shift_s):
        for start, end, word_class in zip(utterance.word_starts, utterance.word_ends, utterance.word_classes):
            self._label(self.window.word_labels, start + shift_s, end + shift_s, word_class)
        phonemes = zip(utterance.phoneme_starts, utterance.phoneme_ends, utterance.phoneme_ids)
        for start, end, phoneme in phonemes:
            if phoneme:
                self._label(self.window.phoneme_labels, start + shift_s, end + shift_s, phoneme)

    def _label(self, labels, start_s, end_s, value):
        end_s = min(end_s, self.end_s)
        if end_s > 0:
            first = max(0, int(round(start_s * FRAMES_PER_S)))
            last = max(0, min(len(labels), int(round(end_s * FRAMES_PER_S))))
            labels[first:last] = value

    def _before_file_end(self, tokens, utterance, shift_s):
        """Tokens of words that end before the file does; without the full stop of a cut sentence."""
        last_word = len(utterance.word_starts) - 1
        last_is_cut = utterance.word_ends[last_word] + shift_s > self.end_s + ROUNDING_S
        return [
            token
            for token in tokens
            if utterance.word_ends[token.word] + shift_s <= self.end_s + EDGE_TOLERANCE_S
            and not (token.is_punctuation and token.word == last_word and last_is_cut)
        ]

    def _cut(self, start_s, tokens, utterance, shift_s):
        """Notes a sentence that goes on beyond the window, unless it only just begins."""
        if start_s >= self.duration_s - 0.07:
            return
        self.window.cut_s = start_s
        self.window.cut_tokens = [
            token
            for token in tokens
            if utterance.word_ends[token.word] + shift_s <= self.duration_s
            and token.start_s < self.duration_s
        ]

    def _colour(self):
        """Equalizes a little, and sometimes takes the high bands away (as a telephone does)."""
        if self.rng.random() < 0.5:
            bands = np.linspace(0, 1, MEL_BANDS)
            curve = sum(self.rng.uniform(-3, 3) * np.cos(np.pi * order * bands) for order in range(1, 4))
            self.power *= (10 ** (curve / 10)).astype(np.float32)
        if self.rng.random() < 0.06:
            from_band = self.rng.randint(48, 76)
            self.power[:, from_band:] *= np.float32(10 ** (-self.rng.uniform(2, 6)))

    def _add_noise(self):
        if self.rng.random() >= (0.6 if self.window.silent else 0.35):
            return
        end = self._end_frame()
        noise = self.rng.choice(self.corpus.noises)
        if self.window.silent:
            level = decibels(self.rng.uniform(-60, -4))
        else:
            level = min(self.gains.values()) * decibels(-self.rng.uniform(18, 50))
        first = self.rng.randrange(0, len(noise) - end + 1) if len(noise) > end else 0
        self.power[:end] += noise[first : first + end] * np.float32(level**2)

    def _mel(self):
        """Whisper scales to the loudest band of its 30 s, which may lie outside this window."""
        logarithm = log_power(self.power)
        reference = logarithm.max()
        if self.rng.random() < 0.3:
            reference += self.rng.uniform(0, 1.2)
        if self.window.silent and self.rng.random() < 0.5:
            reference = max(reference, self.rng.uniform(-1, 2.2))
        return scale(logarithm, reference).T.astype(np.float32)
