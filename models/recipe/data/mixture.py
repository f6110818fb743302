"""Which rows training sees, and how often."""

from pathlib import Path
from random import Random

from .charts import chart_row
from .common import Row
from .compare import compare_row
from .photos import photo_row
from .reading import Texts, load_fonts, load_words, reading_row
from .scenes import scene_row

SHARES = {"reading": 0.52, "scene": 0.22, "chart": 0.22, "photo": 0.04}
# Rows with two pictures, as a share of all; batches have a fixed number of them.
COMPARE_SHARE = 0.09


def load_texts(fonts: Path, words: Path, test: bool) -> Texts:
    return Texts(load_words(words, test), load_fonts(fonts / ("test" if test else "train")))


def single_row(rng: Random, texts: Texts) -> Row:
    kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
    if kind == "reading":
        return reading_row(rng, texts)
    if kind == "scene":
        return scene_row(rng)
    if kind == "chart":
        return chart_row(rng, texts)
    return photo_row(rng)


def double_row(rng: Random, texts: Texts) -> Row:
    return compare_row(rng, texts)
