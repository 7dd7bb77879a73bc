"""The training corpus: single sentences, spoken by espeak-ng.

Kept as mel spectra with the times of words and phonemes.
"""

import multiprocessing
import random
from dataclasses import dataclass

import numpy as np

from grammar import held_out_sentences, sample_sentence
from mel import power_mel
from synth import UnknownVoice, synthesize, word_times
from voices import english_voices, german_voices

ENGLISH_SENTENCES = 22000
GERMAN_SENTENCES = 2600


@dataclass(frozen=True)
class SpokenSentence:
    """One synthesized sentence. Times are seconds from the start of its audio."""

    language: str
    voice: str
    text: str
    power: np.ndarray  # (frames, 80); see mel.power_mel
    word_starts: np.ndarray
    word_ends: np.ndarray
    phoneme_starts: np.ndarray
    phonemes: list  # espeak-ng's names
    end_s: np.float32  # end of the speech


def _speak(job):
    """(mel filters, language, voice, texts, seed) -> SpokenSentences; none if there is no such voice."""
    filters, language, voice, texts, seed = job
    rng = random.Random(seed)
    spoken = []
    for text in texts:
        speed = 175 if rng.random() < 0.25 else rng.randint(135, 195)
        pitch = 50 if rng.random() < 0.4 else rng.randint(35, 66)
        pitch_range = 50 if rng.random() < 0.5 else rng.randint(25, 75)
        try:
            speech = synthesize(text, voice, speed, pitch, pitch_range)
        except UnknownVoice:
            return []
        spoken.append(_spoken_sentence(language, voice, text, speech, filters))
    return spoken


def _spoken_sentence(language, voice, text, speech, filters):
    starts, ends = word_times(text, speech)
    return SpokenSentence(
        language=language,
        voice=voice,
        text=text,
        power=power_mel(speech.audio, filters),
        word_starts=np.float32(starts),
        word_ends=np.float32(ends),
        phoneme_starts=np.float32([start for start, _ in speech.phonemes]),
        phonemes=[name for _, name in speech.phonemes],
        end_s=np.float32(speech.end_s),
    )


def build(filters, english=ENGLISH_SENTENCES, german=GERMAN_SENTENCES, seed=1, processes=2):
    """Synthesizes about that many sentences, shared evenly among the voices. -> SpokenSentences

    espeak-ng keeps some state between texts, so the audio is only the same again with one process.
    """
    rng = random.Random(seed)
    held_out = set(held_out_sentences())

    def sentences(count, language):
        texts = []
        while len(texts) < count:
            text = sample_sentence(rng, language)
            if text not in held_out or language == "de":
                texts.append(text)
        return texts

    plan = []
    for language, total, choose_voices in (
        ("en", english, english_voices),
        ("de", german, german_voices),
    ):
        voices = choose_voices(rng)
        for voice in voices:
            plan.append((language, voice, sentences(total // len(voices), language)))
    jobs = [(filters, *entry, number) for number, entry in enumerate(plan, start=1)]
    with multiprocessing.Pool(processes) as pool:
        results = pool.map(_speak, jobs, chunksize=4)
    return [sentence for result in results for sentence in result]
