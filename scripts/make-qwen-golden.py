"""Patches, grids and positions of the Qwen-VL family, as transformers makes them.

    python3 scripts/make-qwen-golden.py CHECKPOINTS PICTURES OUT

CHECKPOINTS is a folder with the checkpoints qwen2_vl, qwen2_5_vl and qwen3_vl, PICTURES one of PNG files. OUT (JSON) gets:

  grids      rows and columns of patches for images of many sizes, by the settings of the image processor
  patches    SHA-256 of the float32 patches of a drawing in many sizes; test/actors/families/qwen-vl draws the same
  pictures   the same of each picture, with the processor of each checkpoint
  positions  of the tokens of made-up prompts, of which 9 is the image token, and the position of the next token

Needs transformers 5.17 with torch, torchvision and Pillow.
"""

import copy
import hashlib
import json
import random
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageTextToText
from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor, smart_resize

CHECKPOINTS, PICTURES, OUT = (Path(argument) for argument in sys.argv[1:4])
FAMILIES = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl")
IMAGE_TOKEN = 9
HALVES = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}

# The processor changes its class's default size where a setting leaves size out: each says its own.
SETTINGS = [
    {"size": {"shortest_edge": 3136, "longest_edge": 1003520}},
    {"size": {"shortest_edge": 3136, "longest_edge": 50176}},
    {"size": {"shortest_edge": 3136, "longest_edge": 12845056}, "min_pixels": 6272, "max_pixels": 15680},
    {"size": {"shortest_edge": 16384, "longest_edge": 131072}, "patch_size": 16, **HALVES},
    {"size": {"shortest_edge": 1, "longest_edge": 90000}, "patch_size": 8, "merge_size": 3, "temporal_patch_size": 1},
    {"size": {"shortest_edge": 16, "longest_edge": 4000}, "patch_size": 4, "merge_size": 1, "temporal_patch_size": 3},
    {"size": {"shortest_edge": 3136, "longest_edge": 50176}, "resample": 2, "do_rescale": False},
    {"size": {"shortest_edge": 3136, "longest_edge": 50176}, "do_normalize": False},
    {"size": {"shortest_edge": 3136, "longest_edge": 50176}, "do_resize": False},
]
SIZES = [(1, 1), (1, 7), (7, 1), (1, 200), (200, 1), (14, 14), (42, 42), (70, 14), (13, 29), (27, 83), (98, 98), (99, 71), (300, 2),
         (3, 500), (224, 224), (225, 223), (333, 100), (57, 311)]  # fmt: skip
WHOLE = [(28, 28), (56, 84), (140, 28)]


def drawing(width: int, height: int) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    channels = [(x * 37 + y * 11 + c * 71 + ((x * y) >> 3)) % 256 for c in range(3)]
    return Image.fromarray(np.stack(channels, -1).astype(np.uint8))


def patches_of(processor, image: Image.Image) -> dict:
    made = processor(images=[image], return_tensors="pt")
    values = made["pixel_values"].numpy().astype("<f4")
    _, rows, columns = made["image_grid_thw"].tolist()[0]
    return {"rows": rows, "columns": columns, "sha256": hashlib.sha256(values.tobytes()).hexdigest()}


def grids() -> list[dict]:
    chance = random.Random(17)
    sizes = [(chance.randint(1, 5000), chance.randint(1, 5000)) for _ in range(200)]
    # Halves of a patch square, which round to even.
    sizes += [(14 * n, 14 * m) for n in range(1, 8) for m in range(1, 8)] + [(16 * n, 48) for n in range(1, 8)]
    made = []
    for setting in SETTINGS[:6]:
        patch, merge = setting.get("patch_size", 14), setting.get("merge_size", 2)
        least = setting.get("min_pixels", setting["size"]["shortest_edge"])
        most = setting.get("max_pixels", setting["size"]["longest_edge"])
        resized = []
        for width, height in sizes:
            if max(width, height) / min(width, height) > 200:
                continue
            down, across = smart_resize(height, width, patch * merge, least, most)
            resized.append([width, height, down // patch, across // patch])
        made.append({"config": setting, "sizes": resized})
    return made


def patches() -> list[dict]:
    made = []
    for setting in SETTINGS:
        for width, height in WHOLE if setting.get("do_resize") is False else SIZES:
            processor = Qwen2VLImageProcessor(**copy.deepcopy(setting))
            made.append({"config": setting, "width": width, "height": height, **patches_of(processor, drawing(width, height))})
    return made


def pictures() -> list[dict]:
    made = []
    for family in FAMILIES:
        processor = AutoImageProcessor.from_pretrained(CHECKPOINTS / family)
        for path in sorted(PICTURES.glob("*.png")):
            image = Image.open(path).convert("RGB")
            made.append({"family": family, "picture": path.name, **patches_of(processor, image)})
    return made


def positions() -> list[dict]:
    """Grids are of patches, as the processor gives them."""
    prompts = [
        ([5] * 7, []),
        (["image"], [(2, 2)]),
        ([5, 6, "image", 7], [(4, 6)]),
        (["image", 5, "image", 6, 7], [(2, 12), (10, 4)]),
        ([5, "image", 5, "image", 5, "image", 5, 5], [(8, 8), (2, 2), (6, 14)]),
    ]
    made = []
    for family in FAMILIES:
        model = AutoModelForImageTextToText.from_pretrained(CHECKPOINTS / family).model
        for parts, sizes in prompts:
            counts = iter([rows * columns // 4 for rows, columns in sizes])
            ids = [one for part in parts for one in ([IMAGE_TOKEN] * next(counts) if part == "image" else [part])]
            types = torch.tensor([[int(one == IMAGE_TOKEN) for one in ids]])
            grid = torch.tensor([[1, *size] for size in sizes]) if sizes else None
            placed, delta = model.get_rope_index(torch.tensor([ids]), types, image_grid_thw=grid)
            next_one = len(ids) + int(delta.reshape(-1)[0])
            made.append({"family": family, "ids": ids, "grids": sizes, "positions": placed[:, 0].tolist(), "next": next_one})
    return made


golden = {"grids": grids(), "patches": patches(), "pictures": pictures(), "positions": positions()}
lines = [f'"{name}": [\n' + ",\n".join(json.dumps(one) for one in cases) + "\n]" for name, cases in golden.items()]
OUT.write_text("{\n" + ",\n".join(lines) + "\n}\n")
