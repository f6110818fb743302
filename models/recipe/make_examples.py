"""Draws the pictures in examples/, one or two for each thing the model can do, in fonts that training never saw.

    python3 make_examples.py --fonts fonts --words words.txt --out ../../examples
"""

import argparse
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from data.chart_pictures import draw_chart
from data.charts import Chart
from data.common import SIDE
from data.documents import Paper
from data.mixture import load_texts
from data.reading import Texts, draw_words
from data.scenes import PLACES, Scene, Thing, draw_scene

SCALE = 3
"""Pictures that somebody brings are larger than what the model sees."""


def things(*said: tuple[str, str, str, str]) -> list[Thing]:
    return sorted((Thing(c, s, size, PLACES.index(place)) for size, c, s, place in said), key=lambda t: t.cell)


SHAPES = Scene("tan", things(
    ("large", "red", "heart", "at the top left"), ("small", "blue", "ring", "at the top right"),
    ("large", "green", "star", "in the center"), ("small", "purple", "cross", "at the bottom left"),
))  # fmt: skip
BEFORE = Scene("gray", things(
    ("large", "orange", "circle", "on the left"), ("large", "blue", "square", "on the right"),
))  # fmt: skip
AFTER = Scene("gray", things(
    ("large", "orange", "circle", "on the left"), ("large", "green", "square", "on the right"),
))  # fmt: skip


def chart() -> Chart:
    made = Chart(Random(0), kind="bar")
    made.labels, made.values = ["Tea", "Milk", "Rice", "Cake"], [34, 12, 45, 27]
    made.printed, made.top, made.dark = True, 50, False
    made.colors = ["blue", "orange", "green", "purple"]
    return made


def pie() -> Chart:
    made = Chart(Random(0), kind="pie")
    made.labels, made.values = ["Bus", "Car", "Bike", "Tram"], [20, 45, 25, 10]
    made.dark, made.colors = False, ["green", "red", "blue", "orange"]
    return made


def receipt(rng: Random, texts: Texts) -> Image.Image:
    """At its natural size, as documents are drawn."""
    paper = Paper(rng, texts)
    paper.paper, paper.ink = (252, 250, 244), (24, 24, 24)
    paper.row("Corner", align="center", scale=1.4)
    for i, (name, price) in enumerate((("Tea", "2.50"), ("Bread", "3.20"), ("Oat Milk", "1.85"))):
        paper.row(name, price, rule=i == 0)
    paper.row("Total", "7.55", rule=True)
    return paper.draw()


def landscape() -> Image.Image:
    """Hills at dusk, drawn to look like a photograph: nothing that the model knows."""
    side = SIDE * SCALE
    noise = np.random.default_rng(3)
    down, across = np.mgrid[0:side, 0:side] / side
    sky = np.array([52, 84, 140]) * (1 - down[..., None]) + np.array([250, 176, 120]) * down[..., None]
    glow = np.exp(-((across - 0.66) ** 2 + (down - 0.46) ** 2) / 0.012)[..., None]
    picture = sky + glow * np.array([90, 80, 40])
    for height, color, steep in ((0.5, (112, 96, 120), 0.05), (0.62, (72, 74, 92), 0.07), (0.78, (34, 42, 48), 0.06)):
        waves = sum(steep / k * np.sin(6.28 * (k * across[0] + noise.random())) for k in (1, 2, 3, 5, 8, 13, 21))
        picture = np.where((down > height + waves)[..., None], np.array(color) * (0.75 + 0.4 * down[..., None]), picture)
    picture += noise.normal(0, 5, picture.shape)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    texts = load_texts(args.fonts, args.words, test=True)
    pictures = {
        "four-shapes": draw_scene(Random(11), SHAPES),
        "before": draw_scene(Random(4), BEFORE),
        "after": draw_scene(Random(4), AFTER),
        "open-sign": draw_words(Random(21), texts, ["Open", "Daily"]),
        "number": draw_words(Random(9), texts, ["4071"]),
        "bar-chart": draw_chart(Random(8), chart(), texts),
        "pie-chart": draw_chart(Random(8), pie(), texts),
    }
    for name, picture in pictures.items():
        large = picture.resize((SIDE * SCALE, SIDE * SCALE), Image.LANCZOS)
        if name == "pie-chart":
            large = large.quantize(64, dither=Image.Dither.NONE)
        large.save(args.out / f"{name}.png", optimize=True)
    receipt(Random(6), texts).quantize(16, dither=Image.Dither.NONE).save(args.out / "receipt.png", optimize=True)
    landscape().save(args.out / "landscape.jpg", quality=85)


if __name__ == "__main__":
    main()
