"""Which rows training sees, and how often."""

from pathlib import Path
from random import Random
from typing import Callable, Iterator

from .chart_pictures import chart_row
from .common import Row
from .compare import compare_row
from .document_talk import document_row
from .layouts import laid_out
from .photos import photo_row
from .reading import Texts, load_fonts, load_words, reading_row
from .scenes import scene_row
from .smalltalk import smalltalk_row, with_smalltalk
from .wordings import with_wordings

SHARES = {"reading": 0.25, "scene": 0.18, "chart": 0.26, "document": 0.26, "photo": 0.025, "smalltalk": 0.025}
# Rows with two pictures, as a share of all; batches have a fixed number of them.
COMPARE_SHARE = 0.11


def load_texts(fonts: Path, words: Path, test: bool) -> Texts:
    return Texts(load_words(words, test), load_fonts(fonts / ("test" if test else "train")))


def single_row(rng: Random, texts: Texts, missing_names: bool = True) -> Row:
    kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
    if kind == "smalltalk":
        return laid_out(rng, smalltalk_row(rng, texts))
    made = {
        "reading": lambda: reading_row(rng, texts),
        "scene": lambda: scene_row(rng),
        "chart": lambda: chart_row(rng, texts, missing_names),
        "document": lambda: document_row(rng, texts),
        "photo": lambda: photo_row(rng),
    }[kind]()
    return _asked(rng, texts, made)


def single_rows(rng: Random, texts: Texts, missing_names: Callable[[], bool]) -> Iterator[Row]:
    while True:
        yield single_row(rng, texts, missing_names())


def double_row(rng: Random, texts: Texts) -> Row:
    return _asked(rng, texts, compare_row(rng, texts))


def _asked(rng: Random, texts: Texts, row: Row) -> Row:
    return laid_out(rng, with_smalltalk(rng, texts, with_wordings(rng, row)))
