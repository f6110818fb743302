"""Printed words and numbers, and questions that ask to read them."""

import string
from functools import lru_cache
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .common import NUMBERS, REFUSAL, SIDE, Row, Turn, distance, gradient, jitter, literal, luminance, random_color
from .scenes import DESCRIBE, out_of_scope

# Codes leave out what many fonts draw alike.
CODE = "".join(c for c in string.ascii_uppercase + string.digits if c not in "0O1IL")
SMALLEST = 14
LARGEST = 46


class Texts:
    """What may be printed: a list of words, and fonts. The test has its own of both."""

    def __init__(self, words: list[str], fonts: list[Path]):
        self.words = words
        self.fonts = [str(font) for font in fonts]


def load_words(path: Path, test: bool) -> list[str]:
    """Every tenth word is for the test alone."""
    words = [w for w in path.read_text(encoding="utf-8").split() if w.isascii() and w.isalpha() and w.islower()]
    words = [w for w in dict.fromkeys(words) if 2 <= len(w) <= 10]
    return [w for i, w in enumerate(words) if (i % 10 == 7) == test]


def load_fonts(folder: Path) -> list[Path]:
    fonts = sorted(folder.iterdir())
    if not fonts:
        raise FileNotFoundError(f"no fonts in {folder}")
    return fonts


@lru_cache(maxsize=12_000)
def font_of(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def random_word(rng: Random, texts: Texts, longest: int = 10) -> str:
    kind = rng.random()
    if kind < 0.42:
        word = rng.choice(texts.words)
        while len(word) > longest:
            word = rng.choice(texts.words)
    elif kind < 0.68:
        word = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, min(8, longest))))
    elif kind < 0.88:
        return "".join(rng.choices(string.digits, k=rng.randint(1, min(7, longest))))
    else:
        return "".join(rng.choices(CODE, k=rng.randint(2, min(7, longest))))
    return rng.choice((str.lower, str.lower, str.upper, str.capitalize, str.capitalize))(word)


def break_lines(rng: Random, words: list[str]) -> list[list[str]]:
    lines = [[words[0]]]
    for word in words[1:]:
        if rng.random() < 0.6 or len(" ".join(lines[-1])) + len(word) > 13:
            lines.append([word])
        else:
            lines[-1].append(word)
    return lines


def draw_words(rng: Random, texts: Texts, words: list[str]) -> Image.Image:
    while True:
        path = rng.choice(texts.fonts)
        lines = break_lines(rng, words)
        # Measured at 32 pixels; widths grow with the size.
        measure = font_of(path, 32)
        angle = rng.uniform(-10, 10) if rng.random() < 0.5 else 0.0
        room = SIDE - 12 - (abs(angle) * 2 if angle else 0)
        widest = max(measure.getlength(" ".join(line)) for line in lines) / 32
        spacing = rng.uniform(1.15, 1.6)
        most = int(min(LARGEST, room / max(widest, 0.1), room / (spacing * len(lines))))
        if most >= SMALLEST:
            break
    size = rng.randint(max(SMALLEST, int(most * 0.45)), most)
    font = font_of(path, size)
    height = int(spacing * size)
    align = rng.choice(("left", "center", "center", "right"))
    sizes = [int(font.getlength(" ".join(line))) + 2 for line in lines]
    box = (max(sizes) + 8, height * len(lines) + size // 2 + 8)
    mask = Image.new("L", box, 0)
    draw = ImageDraw.Draw(mask)
    for i, line in enumerate(lines):
        slack = box[0] - 8 - sizes[i]
        x = 4 + {"left": 0, "center": slack // 2, "right": slack}[align]
        draw.text((x, 4 + i * height), " ".join(line), fill=255, font=font)
    if angle:
        mask = mask.rotate(angle, Image.BICUBIC, expand=True)
    if rng.random() < 0.3:
        mask = mask.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.9)))
    inked = mask.getbbox()
    if inked is not None:
        mask = mask.crop(inked)

    paper, ink = two_colors(rng)
    image = gradient(rng, paper, rng.choice([0, 0, 8, 16]))
    x = rng.randint(3, max(3, SIDE - mask.width - 3))
    y = rng.randint(3, max(3, SIDE - mask.height - 3))
    decoration = rng.random()
    if decoration < 0.15:
        # A sign: the text on a panel of its own.
        canvas = ImageDraw.Draw(image)
        around = [x - 5, y - 5, x + mask.width + 5, y + mask.height + 5]
        panel = jitter(rng, paper, 20)
        image.paste(random_color(rng), (0, 0, SIDE, SIDE))
        canvas.rectangle(around, fill=panel)
    elif decoration < 0.22:
        canvas = ImageDraw.Draw(image)
        canvas.rectangle([1, 1, SIDE - 2, SIDE - 2], outline=ink, width=rng.randint(1, 3))
    image.paste(ink, (x, y), mask)
    return image


def two_colors(rng: Random):
    if rng.random() < 0.35:
        dark, light = jitter(rng, (20, 20, 20), 20), jitter(rng, (238, 238, 238), 17)
        return (light, dark) if rng.random() < 0.7 else (dark, light)
    while True:
        paper, ink = random_color(rng), random_color(rng)
        if abs(luminance(paper) - luminance(ink)) > 75 and distance(paper, ink) > 110:
            return paper, ink


READ = ["What does it say?", "What is written here?", "Read the text.", "What does the text say?"]


def read_turn(rng: Random, words: list[str]) -> Turn:
    text = literal(" ".join(words))
    if len(words) == 1 and words[0].isdigit() and rng.random() < 0.5:
        return Turn(rng.choice(["What number is shown?", "Which number is this?"]), f"{text}.", "reading")
    return Turn(rng.choice(READ), f'It says "{text}".', "reading")


def reading_row(rng: Random, texts: Texts) -> Row:
    count = rng.choices([1, 2, 3, 4], [46, 26, 20, 8])[0]
    words = [random_word(rng, texts) for _ in range(count)]
    row = Row([draw_words(rng, texts, words)])
    turn = read_turn(rng, words)
    if rng.random() < 0.2:
        turn = Turn(rng.choice(DESCRIBE), f'The text "{literal(" ".join(words))}".', "reading-described")
    turns = [turn]
    if rng.random() < 0.25:
        turns.insert(0, Turn("How many words are there?", f"{NUMBERS[count]}.", "reading-count"))
    if rng.random() < 0.25:
        turns.append(Turn(out_of_scope(rng, text=False, chart=True, shapes=True), REFUSAL, "refusal"))
    if rng.random() < 0.1 and count > 1:
        turns.append(Turn("What is the first word?", f'"{literal(words[0])}".', "reading-word"))
    if rng.random() < 0.3:
        rng.shuffle(turns)
    row.turns = turns
    row.noise = rng.choice([0, 0, 5, 10, 15, 20])
    return row
