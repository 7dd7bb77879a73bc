"""Whisper's multilingual vocabulary and the small part of it that the model uses."""

import struct
from dataclasses import dataclass

import numpy as np

import grammar

# Ids of whisper's multilingual vocabulary (whisper.cpp: struct whisper_vocab, shifted by one as for all
# multilingual models).
FULL_SIZE = 51865
BLANK = 50256
END_OF_TEXT = 50257
START = 50258
ENGLISH = 50259
GERMAN = 50261
TRANSLATE = 50358
TRANSCRIBE = 50359
PREVIOUS = 50361
NO_SPEECH = 50362
NO_TIMES = 50363
FIRST_TIME = 50364
# One time token for each 20 ms of 0..30 s.
TIME_COUNT = 1501
LAST_TIME = TIME_COUNT - 1
TIMES_PER_S = 50

HEADER_INTS = 12


@dataclass(frozen=True)
class WhisperFile:
    """What a ggml model file holds besides its tensors."""

    # Mel filters and vocabulary as they stand in the file, to be copied into another.
    raw: bytes
    # (80, 201) float32.
    mel_filters: np.ndarray
    # Id by the token's bytes.
    token_ids: dict

    @staticmethod
    def read(path):
        """Reads whisper.cpp's models/for-tests-ggml-base.bin, or any other multilingual model."""
        with open(path, "rb") as file:
            data = file.read()
        start = offset = HEADER_INTS * 4
        bands, bins = struct.unpack_from("2i", data, offset)
        offset += 8
        filters = np.frombuffer(data, np.float32, bands * bins, offset).reshape(bands, bins)
        offset += 4 * bands * bins
        (count,) = struct.unpack_from("i", data, offset)
        offset += 4
        token_ids = {}
        for token_id in range(count):
            (length,) = struct.unpack_from("i", data, offset)
            offset += 4
            token_ids[data[offset : offset + length]] = token_id
            offset += length
        return WhisperFile(raw=data[start:offset], mel_filters=filters, token_ids=token_ids)

    def tokenize(self, text):
        """Token ids of a text: the longest token that fits, again and again."""
        data = text.encode()
        ids = []
        start = 0
        while start < len(data):
            end = len(data)
            while data[start:end] not in self.token_ids:
                end -= 1
                if end == start:
                    raise ValueError("the vocabulary has no token for a byte of the text")
            ids.append(self.token_ids[data[start:end]])
            start = end
        return ids

    def punctuation_id(self, mark):
        return self.token_ids[mark.encode()]


class Vocabulary:
    """The reduced vocabulary that is trained: numbers ("columns") in place of whisper's ids.

    First the tokens that the grammar needs (`used_ids`), then one column for all tokens that are never used
    (`unused`), then the 1501 times (from `first_time` on).
    """

    def __init__(self, whisper_file):
        self.file = whisper_file
        special = [
            BLANK,
            END_OF_TEXT,
            START,
            ENGLISH,
            GERMAN,
            TRANSCRIBE,
            PREVIOUS,
            NO_SPEECH,
            NO_TIMES,
        ]
        self.used_ids = sorted(self._text_ids()) + special
        self.column = {token_id: column for column, token_id in enumerate(self.used_ids)}
        self.unused = len(self.used_ids)
        self.first_time = self.unused + 1
        self.size = self.first_time + TIME_COUNT
        # How many of whisper's tokens share the column `unused`.
        self.unused_count = FULL_SIZE - TIME_COUNT - len(self.used_ids)

        self.blank = self.column[BLANK]
        self.end_of_text = self.column[END_OF_TEXT]
        self.start = self.column[START]
        self.transcribe = self.column[TRANSCRIBE]
        self.previous = self.column[PREVIOUS]
        self.no_speech = self.column[NO_SPEECH]
        self.no_times = self.column[NO_TIMES]
        self.language = {"en": self.column[ENGLISH], "de": self.column[GERMAN]}

        # Classes for the encoder's helper task: which word is spoken in a frame; 0 is none.
        words = [(language, word) for language in ("de", "en") for word in grammar.all_words(language)]
        self.word_class = {word: number for number, word in enumerate(words, start=1)}
        self.word_class_count = len(words) + 1
        # Likewise for phonemes; the corpus says how many there are.
        self.phoneme_count = 1

    def _text_ids(self):
        ids = {self.file.punctuation_id(mark) for mark in ".,?"}
        for language in ("en", "de"):
            for word in grammar.all_words(language):
                forms = {"I"} if word == "i" else {word, word.capitalize()}
                for form in forms:
                    ids.update(self.file.tokenize(" " + form))
        return ids

    def columns(self, word):
        """Columns of a word's tokens, with the space before it."""
        return [self.column[token_id] for token_id in self.file.tokenize(" " + word)]

    def punctuation(self, mark):
        return self.column[self.file.punctuation_id(mark)]

    def time(self, index):
        """Column of the time index * 20 ms, limited to 0..30 s."""
        return self.first_time + min(LAST_TIME, max(0, index))
