"""The noise that training adds on the GPU, put into the pictures."""

from random import Random

import numpy as np
from PIL import Image

from .common import Row


def with_noise(row: Row, rng: Random) -> Row:
    noise = np.random.default_rng(rng.getrandbits(32))
    made = []
    for image in row.images:
        pixels = np.asarray(image).astype(np.float32)
        pixels = pixels + noise.standard_normal(pixels.shape, dtype=np.float32) * row.noise
        made.append(Image.fromarray(np.rint(pixels).clip(0, 255).astype(np.uint8)))
    row.images = made
    return row
