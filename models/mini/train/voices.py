"""espeak-ng's voices that the model is trained on: an accent and a variant of the throat."""

ACCENTS = [
    "en-us",
    "gmw/en",
    "en-gb-x-rp",
    "en-gb-scotland",
    "en-us-nyc",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-029",
]
# The accents that are spoken with all plain variants.
MAIN_ACCENTS = ACCENTS[:3]

# "Annie" and "benjamin" are left out: unseen voices for the evaluation.
PLAIN_VARIANTS = ["", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5"]
NAMED_VARIANTS = (
    "adam Alex Alicia Andrea Andy antonio belinda boris caleb david Denis Diogo ed edward Gene Henrique iven "
    "Jacky john Lee linda Marcelo Mario max Michael miguel Mike norbert pablo paul quincy rob robert sandro "
    "shelby steph steph3 travis victor zac anika aunty grandpa Hugo marco"
).split()
VARIANTS = PLAIN_VARIANTS + NAMED_VARIANTS

RANDOM_VOICES = 210
PLAIN_VOICE_REPEATS = 3
GERMAN_MAIN_VARIANTS = ["", "m1", "m3", "f1", "f2", "f5"]
GERMAN_RANDOM_VARIANTS = 24


def voice_name(accent, variant):
    return f"{accent}+{variant}" if variant else accent


def english_voices(rng):
    """210 random pairs of accent and variant, and the main accents more often."""
    pairs = [(accent, variant) for accent in ACCENTS for variant in VARIANTS]
    rng.shuffle(pairs)
    chosen = pairs[:RANDOM_VOICES]
    chosen += [(accent, variant) for accent in MAIN_ACCENTS for variant in PLAIN_VARIANTS]
    chosen += [(accent, "") for accent in MAIN_ACCENTS for _ in range(PLAIN_VOICE_REPEATS)]
    return [voice_name(accent, variant) for accent, variant in chosen]


def german_voices(rng):
    variants = list(VARIANTS)
    rng.shuffle(variants)
    chosen = GERMAN_MAIN_VARIANTS + variants[:GERMAN_RANDOM_VARIANTS]
    return [voice_name("de", variant) for variant in chosen]
