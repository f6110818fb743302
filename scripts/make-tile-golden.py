#!/usr/bin/env python3
"""Writes test/fixtures/families/NAME/preprocess.json for llama4, llava_onevision, llava, gemma3, paligemma and mistral3: what their
processors make of images.

    pip install torch torchvision transformers==5.17.0 pillow numpy
    python3 scripts/make-tile-golden.py

The image of a size is no file: byte i of its RGB data is (31 i + 7 ⌊i / 32⌋ + 5 (i mod 97)) mod 256. `float32Sha256` is over the pixel
values as little-endian float32; `samples` are [index, value] of them. `plans` are sizes alone, `[height, width, …]` with what becomes of them.
"""

import hashlib
import json
import pathlib
import types

import numpy as np
import torch
from PIL import Image
from transformers.image_processing_utils import get_patch_output_size, select_best_resolution
from transformers.image_utils import ChannelDimension, SizeDict
from transformers.models.gemma3.image_processing_gemma3 import Gemma3ImageProcessor
from transformers.models.llama4.image_processing_llama4 import (
    Llama4ImageProcessor,
    find_supported_resolutions,
    get_best_fit,
    get_max_res_without_distortion,
)
from transformers.models.llava.image_processing_llava import LlavaImageProcessor
from transformers.models.llava_onevision.image_processing_llava_onevision import LlavaOnevisionImageProcessor
from transformers.models.llava_onevision.processing_llava_onevision import LlavaOnevisionProcessor
from transformers.models.pixtral.image_processing_pixtral import PixtralImageProcessor, get_resize_output_image_size
from transformers.models.siglip.image_processing_siglip import SiglipImageProcessor

OUT = pathlib.Path(__file__).parent.parent / "test" / "fixtures" / "families"
SIZES = [(1, 1), (1, 50), (50, 1), (13, 13), (56, 56), (57, 55), (112, 56), (56, 168), (333, 222), (97, 501), (7, 900), (900, 7), (200, 30)]
PLAN_SIZES = [
    *SIZES, (336, 336), (337, 335), (672, 336), (480, 640), (1080, 1920), (1920, 1080), (3000, 3000), (1, 8000), (8000, 1), (384, 384),
    (385, 383), (768, 1152), (676, 2230), (1368, 1103), (2435, 744), (2099, 1769), (1194, 1976), (2447, 1477), (1000, 1001), (511, 77),
]  # fmt: skip
LEVELS = {"do_rescale": False, "do_normalize": False}


def picture(height: int, width: int) -> Image.Image:
    i = np.arange(height * width * 3, dtype=np.int64)
    return Image.fromarray(((31 * i + 7 * (i >> 5) + 5 * (i % 97)) & 255).astype(np.uint8).reshape(height, width, 3))


def case(processor, config: dict, size: tuple[int, int]) -> dict:
    pixels = processor(**config)(picture(*size), return_tensors="pt")["pixel_values"]
    pixels = pixels.reshape(-1, *pixels.shape[-3:]).float().numpy().astype("<f4")
    flat = pixels.reshape(-1)
    at = range(0, len(flat), max(1, len(flat) // 12))
    return {
        "config": config, "height": size[0], "width": size[1], "shape": list(pixels.shape),
        "float32Sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "samples": [[k, round(float(flat[k]), 6)] for k in at],
    }  # fmt: skip


def llama4_plan(height: int, width: int, side: int, largest: bool) -> list:
    """[height, width, side, largest, rows, columns, resized height, resized width], as in Llama4ImageProcessor._preprocess."""
    canvases = torch.tensor(find_supported_resolutions(16, SizeDict(height=side, width=side)))
    canvas = get_best_fit((height, width), canvases, resize_to_max_canvas=largest)
    most = canvas if largest else (min(max(height, side), canvas[0]), min(max(width, side), canvas[1]))
    resized = get_max_res_without_distortion((height, width), most)
    return [height, width, side, largest, *(int(length) // side for length in canvas), *(max(int(length), 1) for length in resized)]


def onevision_plan(height: int, width: int, most: int) -> list:
    """[height, width, most, tokens, canvas height, canvas width, resized height, resized width]"""
    pinpoints = LlavaOnevisionImageProcessor.image_grid_pinpoints
    processor = types.SimpleNamespace(
        image_processor=types.SimpleNamespace(image_grid_pinpoints=pinpoints), num_image_tokens=729, vision_aspect_ratio=f"anyres_max_{most}"
    )
    processor._get_unpadded_features = types.MethodType(LlavaOnevisionProcessor._get_unpadded_features, processor)
    tokens = LlavaOnevisionProcessor._get_number_of_features(processor, height, width, 384, 384)
    canvas = select_best_resolution((height, width), pinpoints)
    resized = get_patch_output_size(np.empty((3, height, width), np.uint8), canvas, ChannelDimension.FIRST)
    return [height, width, most, tokens, *canvas, *resized]


def pixtral_plan(height: int, width: int, bounds: tuple[int, int], side: int) -> list:
    """[height, width, most height, most width, side of a token, resized height, resized width]; 0 where nothing is left of a side."""
    image = np.broadcast_to(np.uint8(0), (height, width, 3))
    resized = get_resize_output_image_size(image, bounds, side, ChannelDimension.LAST)
    return [height, width, *bounds, side, *(int(length) for length in resized)]


def write(name: str, cases: list, plans: list) -> None:
    lines = [",\n".join(f"    {json.dumps(one)}" for one in some) for some in (cases, plans)]
    text = '{\n  "cases": [\n%s\n  ],\n  "plans": [\n%s\n  ]\n}\n' % tuple(lines)
    (OUT / name / "preprocess.json").write_text(text, encoding="utf-8")


def main() -> None:
    side = {"size": {"height": 56, "width": 56}}
    llama4 = [side, {**side, "max_patches": 4}, {**side, "resize_to_max_canvas": True}, {**side, "resample": 3, "image_std": [0.3, 0.2, 0.1]}]
    write(
        "llama4",
        [case(Llama4ImageProcessor, config, size) for config in llama4 for size in SIZES],
        [llama4_plan(*size, side, largest) for side in (336, 56) for largest in (False, True) for size in PLAN_SIZES],
    )
    tiny = {**side, "image_grid_pinpoints": [[56, 56], [56, 112], [112, 56], [112, 112], [56, 168], [168, 56]]}
    onevision = [{**tiny, **LEVELS}, {**tiny, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 2}]
    write(
        "llava_onevision",
        [case(LlavaOnevisionImageProcessor, config, size) for config in onevision for size in SIZES],
        [onevision_plan(*size, most) for most in (9, 4, 1) for size in PLAN_SIZES],
    )
    square = {"size": {"shortest_edge": 64}, "crop_size": {"height": 64, "width": 64}, "do_pad": True}
    llava = [{**square, **LEVELS}, {**square, **LEVELS, "image_mean": [0, 0, 0]}, {**square, **LEVELS, "do_pad": False}]
    small = [size for size in SIZES if max(size) < 600]
    pixtral = [
        {"size": {"longest_edge": 140}, "patch_size": 28}, {"size": {"height": 96, "width": 200}, "patch_size": 16},
        {"size": {"longest_edge": 1540}, "patch_size": 28, "resample": 2, "image_mean": [0.5] * 3, "image_std": [0.3, 0.2, 0.1]},
        {"patch_size": 32, "do_normalize": False, "rescale_factor": 1 / 128}, {"size": {"longest_edge": 60}, "patch_size": 12, **LEVELS},
    ]  # fmt: skip
    bounds = (((1540, 1540), 28), ((140, 140), 28), ((1024, 1024), 16), ((300, 777), 20))
    write(
        "mistral3",
        [case(PixtralImageProcessor, config, size) for config in pixtral for size in small],
        [pixtral_plan(*size, most, side) for most, side in bounds for size in PLAN_SIZES],
    )
    write("llava", [case(LlavaImageProcessor, config, size) for config in llava for size in small], [])

    levels = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.9, 0.8, 0.7]}
    flat, tall = ({"size": {"height": height, "width": width}} for height, width in ((14, 42), (70, 28)))
    crop = {"do_center_crop": True, "crop_size": {"height": 28, "width": 42}}
    gemma3 = [{**side, **LEVELS}, {**flat, **LEVELS, "resample": 3}, {**tall, **LEVELS, **crop}, side, {**flat, **levels}]
    gemma3 += [{**flat, "do_normalize": False}, {**flat, "do_rescale": False}, {**flat, "rescale_factor": 0.0078125}]
    write("gemma3", [case(Gemma3ImageProcessor, config, size) for config in gemma3 for size in SIZES], [])
    paligemma = [{**side, **LEVELS}, {**tall, **LEVELS, "resample": 2}, {**side, **LEVELS, **crop}, {**flat, **LEVELS, **crop}]
    paligemma += [{"size": {"shortest_edge": 30}, **LEVELS, **crop}, {"do_resize": False, **LEVELS, **crop}, side, {**flat, **levels}]
    write("paligemma", [case(SiglipImageProcessor, config, size) for config in paligemma for size in small], [])


main()
