"""What the decoder is to write for a window: whisper's tokens, with soft targets for the times."""

from dataclasses import dataclass

import numpy as np

from vocabulary import LAST_TIME, TIMES_PER_S
from windows import WindowComposer

# Soft targets: a time's weight is spread over its neighbours (steps of 20 ms), ...
TIME_WEIGHT = 0.52
TIME_NEIGHBOURS = ((-1, 0.2), (1, 0.2), (-2, 0.04), (2, 0.04))
# ... and a text token leaves a little to the time where it starts: whisper.cpp reads word times from that.
WORD_TIME_WEIGHTS = ((0, 0.018), (-1, 0.006), (1, 0.006))
NO_SPEECH_WEIGHT = 0.9
# The most targets that one step has.
MAX_TARGETS = 5

# Speech that starts before this is said to start at 0.
EARLY_START_S = 0.25
# whisper.cpp allows no first time above this (max_initial_ts): a later start needs a first, empty segment.
MAX_FIRST_TIME_S = 1.0
# Tokens of the prompt, at most: half the text context less one.
MAX_PROMPT = 223


@dataclass(frozen=True)
class Step:
    """One token to write: `targets` are (column, weight) pairs; `heard_s` is where it is heard, or None."""

    column: int
    targets: list
    heard_s: tuple = None


@dataclass(frozen=True)
class Example:
    """A window with its targets, for `steps` = tokens - 1 steps of the decoder. No interval: (-1, -1)."""

    mel: np.ndarray  # (80, 2 * frames) float32
    columns: np.ndarray  # (steps,) what the decoder reads
    target_columns: np.ndarray  # (steps, 5)
    target_weights: np.ndarray  # (steps, 5) float32; all 0: no loss
    read_s: np.ndarray  # (steps, 2) float32: where the token that is read was heard
    written_s: np.ndarray  # (steps, 2) float32: where the token to write is heard
    word_labels: np.ndarray  # (frames,)
    phoneme_labels: np.ndarray  # (frames,)


class Batch(Example):
    """Examples stacked along a first axis, the steps padded to the longest."""


def draw_example(corpus, rng, shape):
    """Composes a window of that shape and writes its targets. -> Example"""
    return ExampleWriter(corpus, rng, WindowComposer(corpus, rng, shape)).write()


def draw_batch(corpus, rng, size, shape):
    """-> Batch of `size` examples"""
    examples = [draw_example(corpus, rng, shape) for _ in range(size)]
    return Batch(
        mel=np.stack([example.mel for example in examples]),
        columns=_pad([example.columns for example in examples], corpus.vocabulary.end_of_text),
        target_columns=_pad([example.target_columns for example in examples], 0),
        target_weights=_pad([example.target_weights for example in examples], 0),
        read_s=_pad([example.read_s for example in examples], -1.0),
        written_s=_pad([example.written_s for example in examples], -1.0),
        word_labels=np.stack([example.word_labels for example in examples]),
        phoneme_labels=np.stack([example.phoneme_labels for example in examples]),
    )


def _pad(arrays, filler):
    length = max(len(array) for array in arrays)
    return np.stack(
        [
            np.concatenate([array, np.full((length - len(array),) + array.shape[1:], filler, array.dtype)])
            for array in arrays
        ]
    )


class ExampleWriter:
    """Writes the targets of one window. The order of the draws is part of what a seed means: keep it."""

    def __init__(self, corpus, rng, composer):
        self.corpus = corpus
        self.vocabulary = corpus.vocabulary
        self.rng = rng
        self.composer = composer
        self.shape = composer.shape

    def write(self):
        """-> Example"""
        self.window = self.composer.compose()
        self.without_times = self.rng.random() < 0.12
        steps = self._steps_without_times() if self.without_times else self._steps_with_times()
        history = self._draw_history()
        if history and self.window.speech_start_s is None and not self.without_times:
            steps = [self._certain(self.vocabulary.end_of_text)]
        prompt = []
        if self.rng.random() < (0.7 if self.shape.full else 0.3):
            length = MAX_PROMPT if self.rng.random() < 0.4 else self.rng.randint(3, MAX_PROMPT)
            prompt = self._draw_prompt(length)
        start = [
            self.vocabulary.start,
            self.vocabulary.language[self.window.language],
            self.vocabulary.transcribe,
        ]
        if self.without_times:
            start.append(self.vocabulary.no_times)
        return self._example(prompt, start + history, steps)

    # Steps

    def _certain(self, column):
        return Step(column, [(column, 1.0)])

    def _time_index(self, seconds):
        return min(LAST_TIME, max(0, round(seconds * TIMES_PER_S) + self.shape.offset))

    def _time_step(self, seconds):
        time = self.vocabulary.time
        index = self._time_index(seconds)
        neighbours = [(time(index + by), weight) for by, weight in TIME_NEIGHBOURS]
        return Step(
            time(index),
            [(time(index), TIME_WEIGHT)] + neighbours,
            (seconds - 0.05, seconds + 0.05),
        )

    def _text_step(self, token):
        index = self._time_index(token.start_s)
        times = []
        if not self.without_times:
            times = [(self.vocabulary.time(index + by), weight) for by, weight in WORD_TIME_WEIGHTS]
        rest = 1 - sum(weight for _, weight in times)
        heard_s = (token.start_s, token.end_s)
        if token.end_s - token.start_s <= 0.03:
            heard_s = (token.start_s - 0.06, token.start_s + 0.02)
        return Step(token.column, [(token.column, rest)] + times, heard_s)

    def _steps_without_times(self):
        tokens = [token for sentence in self.window.sentences for token in sentence.tokens]
        steps = [self._text_step(token) for token in tokens + self.window.cut_tokens]
        if not steps:
            steps = [self._certain(self.vocabulary.blank)]
        return steps + [self._certain(self.vocabulary.end_of_text)]

    def _steps_with_times(self):
        steps = self._first_times()
        for number, sentence in enumerate(self.window.sentences):
            if number > 0:
                steps.append(self._time_step(sentence.start_s))
            steps += [self._text_step(token) for token in sentence.tokens]
            steps.append(self._time_step(sentence.end_s))
        if self.window.cut_s is not None and self.window.sentences:
            steps.append(self._time_step(self.window.cut_s))
        steps.append(self._certain(self.vocabulary.end_of_text))
        if self.window.silent or self.window.speech_start_s is None:
            first = steps[0].column
            targets = [
                (self.vocabulary.no_speech, NO_SPEECH_WEIGHT),
                (first, 1 - NO_SPEECH_WEIGHT),
            ]
            steps[0] = Step(first, targets)
        return steps

    def _first_times(self):
        """The time at which the speech starts; before it an empty segment where whisper needs one."""
        time, blank = self.vocabulary.time, self.vocabulary.blank
        offset = self.shape.offset
        start_s = self.window.speech_start_s
        if start_s is None:
            end = LAST_TIME if offset == 0 else offset + self.shape.frames
            return [self._certain(time(offset)), self._certain(blank), self._certain(time(end))]
        if offset > 0:
            return [self._time_step(start_s)]
        if start_s < EARLY_START_S:
            return [Step(time(0), [(time(0), 1.0)], (start_s - 0.05, start_s + 0.05))]
        if start_s <= MAX_FIRST_TIME_S:
            return [self._time_step(start_s)]
        empty = [self._certain(time(0)), self._certain(blank)]
        return empty + [self._time_step(start_s), self._time_step(start_s)]

    # What comes before

    def _draw_history(self):
        """For a slice of a later part of 30 s: invented earlier sentences, as columns; they have no loss."""
        if self.shape.offset == 0 or self.window.silent or self.rng.random() >= 0.85:
            return []
        history = []
        time_s = self.rng.uniform(0, 1.2)
        if time_s < EARLY_START_S:
            time_s = 0
        while True:
            utterance = self.corpus.draw_utterance(self.rng, self.rng.choice(self.window.speakers))
            duration_s = utterance.duration_s
            if time_s + duration_s > self.shape.offset * 0.02 - 0.15:
                return history
            history += self._columns_of(utterance, time_s, not self.without_times)
            time_s += duration_s + self.composer.draw_pause()

    def _columns_of(self, utterance, start_s, with_times):
        columns = [token.column for token in utterance.tokens]
        if not with_times:
            return columns
        time = self.vocabulary.time
        end_s = start_s + utterance.duration_s
        return [time(int(start_s * TIMES_PER_S)), *columns, time(int(end_s * TIMES_PER_S))]

    def _draw_prompt(self, length):
        """The text of earlier windows: random sentences, sometimes led by words outside the grammar."""
        vocabulary = self.vocabulary
        time_s = self.rng.uniform(0, 3)
        columns = []
        if self.rng.random() < 0.08:
            columns = [vocabulary.unused] * self.rng.randint(1, 6)
        with_times = not (self.without_times or self.rng.random() < 0.15)
        while len(columns) < length:
            voice = self.corpus.draw_voice(self.rng, self.window.language)
            utterance = self.corpus.draw_utterance(self.rng, voice)
            if time_s + utterance.duration_s > 29:
                time_s = 0.0
            columns += self._columns_of(utterance, time_s, with_times)
            time_s += utterance.duration_s
            time_s += self.rng.uniform(0.2, 1.5)
        if with_times and self.rng.random() < 0.6:
            columns.append(vocabulary.time(int(min(29.9, time_s) * TIMES_PER_S)))
        return [vocabulary.previous] + columns[-length:]

    # Arrays

    def _example(self, prompt, context, steps):
        """`prompt`, then `context` (from the start token on), then what the steps write."""
        columns = prompt + context + [step.column for step in steps]
        count = len(columns) - 1
        target_columns = np.zeros((count, MAX_TARGETS), np.int64)
        target_weights = np.zeros((count, MAX_TARGETS), np.float32)
        read_s = np.full((count, 2), -1.0, np.float32)
        written_s = np.full((count, 2), -1.0, np.float32)
        # The start token is followed by the language.
        target_columns[len(prompt), 0] = self.vocabulary.language[self.window.language]
        target_weights[len(prompt), 0] = 1.0 if self.window.sentences else 0.0
        for place, step in enumerate(steps, start=len(prompt) + len(context) - 1):
            for number, (column, weight) in enumerate(step.targets):
                target_columns[place, number] = column
                target_weights[place, number] = weight
            if step.heard_s:
                written_s[place] = step.heard_s
                if place + 1 < count:
                    read_s[place + 1] = step.heard_s
        return Example(
            mel=self.window.mel,
            columns=np.array(columns[:-1]),
            target_columns=target_columns,
            target_weights=target_weights,
            read_s=read_s,
            written_s=written_s,
            word_labels=self.window.word_labels,
            phoneme_labels=self.window.phoneme_labels,
        )
