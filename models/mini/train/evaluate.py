"""Measures a model file with whisper.cpp's own command line, on the sets that recordings.py makes.

    python3 evaluate.py MODEL work/test
    python3 evaluate.py MODEL work/test --sets long -- -mc 0        # more arguments for whisper-cli
"""

import argparse
import json
import os
import re
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SETS = ["seen", "unseen", "long", "noisy", "quiet", "lead"]
# whisper.cpp's ids from here on are no text.
FIRST_SPECIAL_ID = 50256
FILES_A_CALL = 60
LANGUAGE_FILES = 30


@dataclass(frozen=True)
class Engine:
    """`arguments`: added to every call of whisper-cli."""

    cli: str
    model: str
    threads: int
    arguments: list

    def hear(self, paths, folder, *more):
        """What whisper-cli writes as JSON for each file. `folder` takes its output. -> {path: dict}"""
        folder.mkdir(parents=True, exist_ok=True)
        for first in range(0, len(paths), FILES_A_CALL):
            self._call(paths[first : first + FILES_A_CALL], folder, more)
        return {
            path: json.loads((folder / f"{path.stem}.json").read_text(encoding="utf-8", errors="replace"))
            for path in paths
        }

    def _call(self, paths, folder, more):
        command = [self.cli, "-m", self.model, "-t", str(self.threads), "-np", "-ojf", "-l", "en"]
        command += [*self.arguments, *more]
        for path in paths:
            command += ["-f", str(path)]
        for path in paths:
            command += ["-of", str(folder / path.stem)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def folded_words(text):
    return re.findall(r"[^\W\d_]+", text.lower())


def align(reference, hypothesis):
    """Levenshtein over words. -> errors, pairs of places (in reference, in hypothesis) that match"""
    rows, columns = len(reference), len(hypothesis)
    cost = np.zeros((rows + 1, columns + 1), int)
    cost[:, 0] = range(rows + 1)
    cost[0] = range(columns + 1)
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            differs = reference[i - 1] != hypothesis[j - 1]
            cost[i, j] = min(cost[i - 1, j - 1] + differs, cost[i - 1, j] + 1, cost[i, j - 1] + 1)
    return cost[rows, columns], _trace_back(cost, reference, hypothesis)


def _trace_back(cost, reference, hypothesis):
    i, j = len(reference), len(hypothesis)
    pairs = []
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + (reference[i - 1] != hypothesis[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


@dataclass(frozen=True)
class PlacedWord:
    """A word and its place: number of the sentence or segment, first in it, last in it."""

    text: str
    sentence: int
    is_first: bool
    is_last: bool


def placed_words(texts):
    placed = []
    for number, text in enumerate(texts):
        words = folded_words(text)
        for place, word in enumerate(words):
            placed.append(PlacedWord(word, number, place == 0, place == len(words) - 1))
    return placed


@dataclass
class Score:
    """Sums over files. Time errors are in seconds."""

    errors: int = 0
    words: int = 0
    files: int = 0
    exact_files: int = 0
    start_errors: list = field(default_factory=list)
    end_errors: list = field(default_factory=list)
    word_start_errors: list = field(default_factory=list)

    def add(self, reference, segments):
        """`reference`: the .ref.json; `segments`: whisper-cli's "transcription". -> errors of the file"""
        said = placed_words(sentence["text"] for sentence in reference["sentences"])
        heard = placed_words(segment["text"] for segment in segments)
        errors, pairs = align([word.text for word in said], [word.text for word in heard])
        self.errors += errors
        self.words += len(said)
        self.files += 1
        self.exact_files += errors == 0
        for i, j in pairs:
            if said[i].text == heard[j].text:
                self._add_segment_times(reference["sentences"], segments, said[i], heard[j])
        if errors == 0:
            self._add_word_times(reference["sentences"], segments)
        return errors

    def _add_segment_times(self, sentences, segments, said, heard):
        sentence, offsets = sentences[said.sentence], segments[heard.sentence]["offsets"]
        if said.is_first and heard.is_first:
            self.start_errors.append(abs(offsets["from"] / 1000 - sentence["start"]))
        if said.is_last and heard.is_last:
            self.end_errors.append(abs(offsets["to"] / 1000 - sentence["end"]))

    def _add_word_times(self, sentences, segments):
        words = [word for sentence in sentences for word in sentence["words"]]
        starts = [
            token["offsets"]["from"] / 1000
            for segment in segments
            for token in segment.get("tokens", [])
            if token["id"] < FIRST_SPECIAL_ID and token["text"].startswith(" ")
        ]
        if len(starts) == len(words):
            self.word_start_errors += [abs(start - word["start"]) for start, word in zip(starts, words)]

    def __str__(self):
        return (
            f"  word errors {100 * self.errors / max(1, self.words):.2f} % ({self.errors} of {self.words}), "
            f"files without error {self.exact_files} of {self.files}; start {_spread(self.start_errors)}; "
            f"end {_spread(self.end_errors)}; word start {_spread(self.word_start_errors)}"
        )


def _spread(values):
    if not values:
        return "n/a"
    p95 = sorted(values)[int(0.95 * (len(values) - 1))]
    return f"median {statistics.median(values):.3f} p95 {p95:.3f} max {max(values):.2f} s (n={len(values)})"


class Evaluation:
    def __init__(self, engine, folder, verbose):
        self.engine = engine
        self.folder = folder
        self.verbose = verbose

    def _hear(self, paths, *more):
        return self.engine.hear(paths, self.folder / "heard", *more)

    def _score(self, heard):
        score = Score()
        for path, result in heard.items():
            reference = json.loads(path.with_suffix(".ref.json").read_text(encoding="utf-8"))
            errors = score.add(reference, result["transcription"])
            if errors and self.verbose:
                said = " ".join(sentence["text"] for sentence in reference["sentences"])
                print(f"{path.name}: said {said} | heard{_text(result)}")
        print(score, flush=True)

    def measure_set(self, name):
        print(name)
        self._score(self._hear(sorted(self.folder.glob(f"{name}*.wav"))))

    def measure_silence(self):
        paths = sorted(self.folder.glob("sil*.wav")) + sorted(self.folder.glob("nz*.wav"))
        print(
            "silence and noise:",
            {path.name: _text(result) for path, result in self._hear(paths).items()},
        )

    def measure_language(self, language, pattern):
        paths = sorted(self.folder.glob(pattern))[:LANGUAGE_FILES]
        heard = self._hear(paths, "-l", "auto")
        detected = [result["result"]["language"] for result in heard.values()].count(language)
        print(f"language auto: {language} detected in {detected} of {len(paths)}")
        self._score(heard)


def _text(result):
    return "".join(segment["text"] for segment in result["transcription"])


def main():
    parser = argparse.ArgumentParser(description="Measure a model file with whisper.cpp's whisper-cli.")
    parser.add_argument("model", help="ggml model file")
    parser.add_argument("folder", type=Path, help="folder that recordings.py has filled")
    parser.add_argument("cli_arguments", nargs="*", help="after --: passed on to whisper-cli, such as -mc 0")
    parser.add_argument(
        "--cli", default=os.environ.get("WHISPER_CLI", "whisper-cli"), help="path of whisper-cli"
    )
    parser.add_argument(
        "--sets", nargs="+", choices=SETS, help="only these sets (default: all, and more checks)"
    )
    parser.add_argument("--threads", type=int, default=2, help="threads of whisper-cli (default: 2)")
    parser.add_argument("--verbose", action="store_true", help="print what was heard wrong")
    arguments = parser.parse_args()
    engine = Engine(arguments.cli, arguments.model, arguments.threads, arguments.cli_arguments)
    evaluation = Evaluation(engine, arguments.folder, arguments.verbose)
    for name in arguments.sets or SETS:
        evaluation.measure_set(name)
    if not arguments.sets:
        evaluation.measure_silence()
        evaluation.measure_language("de", "de*.wav")
        evaluation.measure_language("en", "seen0*.wav")


if __name__ == "__main__":
    main()
