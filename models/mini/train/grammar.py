"""Closed grammar of meeting and call sentences: about 245 English words and about 75 German ones.

    python3 grammar.py > ../grammar.txt
"""

import argparse
import random
import re

from templates import ENGLISH_SLOTS, ENGLISH_TEMPLATES, GERMAN_SLOTS, GERMAN_TEMPLATES

SLOTS = {"en": ENGLISH_SLOTS, "de": GERMAN_SLOTS}
TEMPLATES = {"en": ENGLISH_TEMPLATES, "de": GERMAN_TEMPLATES}

# How often an English template is drawn, by its number of slots: the more it can say, the oftener.
WEIGHT_BY_SLOTS = [0.45, 0.8, 1.2, 1.6, 1.3, 1.2, 1.2]

SLOT = re.compile(r"\{(\w+)\}")
LETTERS = r"[^\W\d_]+"


def _weight(template):
    slots = len(SLOT.findall(template))
    return WEIGHT_BY_SLOTS[min(slots, len(WEIGHT_BY_SLOTS) - 1)]


ENGLISH_WEIGHTS = [_weight(template) for template in ENGLISH_TEMPLATES]


def sample_sentence(rng, language="en"):
    """Draws a sentence as written, such as "Please send the report to Alice before Friday."."""
    if language == "en":
        template = rng.choices(ENGLISH_TEMPLATES, ENGLISH_WEIGHTS)[0]
    else:
        template = rng.choice(GERMAN_TEMPLATES)
    slots = SLOTS[language]
    sentence = SLOT.sub(lambda match: rng.choice(slots[match.group(1)]), template)
    if language == "en":
        sentence = re.sub(r"\bi\b", "I", sentence)
    sentence = sentence[0].upper() + sentence[1:]
    return sentence if sentence[-1] in ".?" else sentence + "."


def all_words(language="en"):
    """Every word of the language, in lower case, sorted."""
    entries = list(TEMPLATES[language])
    for choices in SLOTS[language].values():
        entries += choices
    return sorted({word.lower() for entry in entries for word in re.findall(LETTERS, SLOT.sub("", entry))})


def split_sentence(sentence):
    """A written sentence as (word, punctuation after it or "") pairs."""
    return re.findall(rf"({LETTERS})([,.?]?)", sentence)


def held_out_sentences(count=400, language="en", seed=777):
    """Sentences kept for evaluation: never part of the English training corpus."""
    rng = random.Random(seed)
    sentences = []
    while len(sentences) < count:
        sentence = sample_sentence(rng, language)
        long_enough = language == "de" or len(sentence.split()) >= 5
        if sentence not in sentences and long_enough:
            sentences.append(sentence)
    return sentences


def print_grammar():
    """Prints the words, templates and lists in the form of ../grammar.txt."""
    for name, language in (("English", "en"), ("German", "de")):
        words = all_words(language)
        print(f"# {name} words ({len(words)})")
        print(" ".join(words))
    for name, language in (("English", "en"), ("German", "de")):
        print(f"# {name} templates")
        print("\n".join(TEMPLATES[language]))
    for slot, choices in ENGLISH_SLOTS.items():
        if slot != "adjc":
            print(f"{{{slot}}}: {' '.join(choices)}")


if __name__ == "__main__":
    argparse.ArgumentParser(description="Print the grammar: its words, templates and lists.").parse_args()
    print_grammar()
