"""Pictures that look like photographs of nothing: clouds of colour, at which the honest answer is a refusal."""

from random import Random

import numpy as np
from PIL import Image, ImageFilter

from .common import REFUSAL, SIDE, Row, Turn, random_color
from .scenes import DESCRIBE, out_of_scope


def draw_photo(rng: Random) -> Image.Image:
    noise = np.random.default_rng(rng.getrandbits(32))
    field = np.zeros((SIDE, SIDE), np.float32)
    strength, total = 1.0, 0.0
    fall = rng.uniform(0.4, 0.75)
    for cells in (2, 4, 8, 16, 36, 72):
        shape = (max(2, int(cells * rng.uniform(0.5, 1.5))), cells)
        octave = Image.fromarray(noise.random(shape, np.float32))
        field += strength * np.asarray(octave.resize((SIDE, SIDE), Image.BICUBIC))
        total += strength
        strength *= fall
    field /= total
    low, high = field.min(), field.max()
    field = (field - low) / (high - low + 1e-6)
    stops = np.array([random_color(rng) for _ in range(rng.randint(2, 5))], np.float32)
    position = field * (len(stops) - 1)
    if rng.random() < 0.5:
        # Sky above, ground below.
        horizon = rng.uniform(0.3, 0.7)
        ramp = np.linspace(0, 1, SIDE, dtype=np.float32)[:, None]
        position = np.clip(0.35 * position + (len(stops) - 1) * (ramp > horizon) * 0.65, 0, len(stops) - 1)
    lower = np.floor(position).astype(int).clip(0, len(stops) - 2)
    part = (position - lower)[..., None]
    pixels = stops[lower] * (1 - part) + stops[lower + 1] * part
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2)))
    return image


def photo_row(rng: Random) -> Row:
    questions = [
        rng.choice(DESCRIBE),
        out_of_scope(rng, text=True, chart=True, shapes=True),
        out_of_scope(rng, text=True, chart=True, shapes=True),
    ]
    rng.shuffle(questions)
    turns = [Turn(question, REFUSAL, "refusal") for question in questions[: rng.randint(1, 3)]]
    return Row([draw_photo(rng)], turns, rng.choice([0, 0, 8, 16]))
