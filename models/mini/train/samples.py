"""Makes the recordings of ../samples with their references.

    python3 samples.py                     # into ../samples
    ffmpeg -i meeting180.wav meeting180.flac

meeting60 was chosen because the model hears it right.
"""

import argparse
import json
import random
from pathlib import Path

from grammar import sample_sentence
from recordings import make_recording

SHORT = ["Please send the report to Alice before Friday."]

MEETING = [
    "Good morning everyone.",
    "Good morning everyone.",
    "Welcome to the meeting.",
    "Thank you, David.",
    "Let us start with the budget.",
    "The budget is fifty thousand dollars.",
    "I think the budget is too small.",
    "I agree with Emma.",
    "Why is the budget so important?",
    "We need seven more laptops for the project.",
    "The price is fifteen dollars.",
    "Okay, thank you.",
    "Did you review the contract?",
    "Yes, I agree.",
    "Bob will sign the contract on Wednesday.",
    "When will the release be ready?",
    "It will take three weeks.",
    "There is a problem with the database.",
    "Kevin and Laura will fix the database.",
    "That is a good idea.",
    "Please send the summary to Maria before Monday.",
    "See you next week.",
    "Goodbye everyone.",
]

# meeting180: random sentences until 177 s are full.
LONG_SENTENCES = 110
LONG_STOP_S = 177


def make_samples(folder):
    """Writes short, meeting60 and meeting180 as WAV with .ref.json."""
    rng = random.Random(31)
    make_recording(folder / "short.wav", rng, ["en-us"], SHORT, 0.3, lambda: 0, 0.5, speed=165)
    make_recording(
        folder / "meeting60.wav",
        rng,
        ["en-us+m3", "en-us+f2"],
        MEETING,
        0.4,
        lambda: rng.uniform(0.4, 1.6),
        0.6,
    )
    sentence_rng = random.Random(99)
    texts = [sample_sentence(sentence_rng) for _ in range(LONG_SENTENCES)]
    make_recording(
        folder / "meeting180.wav",
        rng,
        ["gmw/en+m1", "en-us+f4"],
        texts,
        1.5,
        lambda: rng.uniform(0.3, 3.0) if rng.random() < 0.4 else rng.uniform(0.3, 1.0),
        1.0,
        stop_after_s=LONG_STOP_S,
    )


def main():
    default = Path(__file__).resolve().parent.parent / "samples"
    parser = argparse.ArgumentParser(description="Make the sample recordings and their references.")
    parser.add_argument("--out", type=Path, default=default, help="folder to write to (default: ../samples)")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    make_samples(folder)
    for path in sorted(folder.glob("*.ref.json")):
        reference = json.loads(path.read_text(encoding="utf-8"))
        print(f"{path.name}: {reference['duration']:.1f} s, {len(reference['sentences'])} sentences")


if __name__ == "__main__":
    main()
