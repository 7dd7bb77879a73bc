"""Trains the model on the CPU, one process a core. Needs espeak-ng, PyTorch and NumPy.

    python3 train.py --vocabulary for-tests-ggml-base.bin --minutes 75
    python3 train.py --vocabulary for-tests-ggml-base.bin --minutes 20 \\
        --resume checkpoint.pt --progress 0.8

Writes to the work folder: corpus.pkl (made once), ck.pt (weights, every 2 minutes) and final.pt (weights
and optimiser). A file named STOP in it ends the training.
"""

import argparse
import multiprocessing
import pickle
from pathlib import Path

import torch

from corpus import ENGLISH_SENTENCES, GERMAN_SENTENCES, build
from model import Mini
from utterances import Corpus
from vocabulary import Vocabulary, WhisperFile
from worker import Settings, Shared, Worker


def load_corpus(path, vocabulary, english, german, processes):
    """Reads the synthesized sentences, or makes them first. -> Corpus"""
    if path.exists():
        with open(path, "rb") as file:
            sentences = pickle.load(file)
    else:
        sentences = build(vocabulary.file.mel_filters, english, german, processes=processes)
        with open(path, "wb") as file:
            pickle.dump(sentences, file, protocol=4)
    return Corpus(sentences, vocabulary)


def train(corpus, settings):
    size = sum(parameter.numel() for parameter in Mini(corpus.vocabulary).parameters())
    context = multiprocessing.get_context("fork")  # the corpus is not copied
    shared = Shared(
        gradients=torch.zeros(settings.processes, size).share_memory_(),
        progress=torch.zeros(1).share_memory_(),
        barrier=context.Barrier(settings.processes),
    )

    def work(rank):
        Worker(rank, corpus, settings, shared).run()

    workers = [context.Process(target=work, args=(rank,)) for rank in range(settings.processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def parse_arguments():
    parser = argparse.ArgumentParser(description="Train the model, from scratch or on from a checkpoint.")
    parser.add_argument(
        "--vocabulary",
        required=True,
        help="for-tests-ggml-base.bin of whisper.cpp: vocabulary and mel filters",
    )
    parser.add_argument("--work", type=Path, default=Path("work"), help="folder for corpus and results")
    parser.add_argument("--minutes", type=float, default=50, help="time to train for (default: 50)")
    parser.add_argument("--resume", type=Path, help="checkpoint to go on from")
    parser.add_argument(
        "--progress",
        type=float,
        default=0,
        help="share of the training taken as done, 0..1 (default: 0)",
    )
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="highest rate (default: 2e-3)")
    parser.add_argument("--processes", type=int, default=2, help="processes, one thread each (default: 2)")
    parser.add_argument("--english", type=int, default=ENGLISH_SENTENCES, help="English sentences")
    parser.add_argument("--german", type=int, default=GERMAN_SENTENCES, help="German sentences")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    torch.set_num_threads(1)
    arguments.work.mkdir(parents=True, exist_ok=True)
    corpus = load_corpus(
        arguments.work / "corpus.pkl",
        Vocabulary(WhisperFile.read(arguments.vocabulary)),
        arguments.english,
        arguments.german,
        arguments.processes,
    )
    settings = Settings(
        work=arguments.work,
        minutes=arguments.minutes,
        resume=arguments.resume,
        progress=arguments.progress,
        learning_rate=arguments.learning_rate,
        processes=arguments.processes,
    )
    train(corpus, settings)


if __name__ == "__main__":
    main()
