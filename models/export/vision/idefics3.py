"""Idefics3 and SmolVLM: SigLIP for images of any size up to its own, a pixel shuffle, and a matrix (transformers models/idefics3).

    pixel_values [batch, images, 3, h, w], pixel_attention_mask bool [batch, images, h, w] → image_features [tiles, tokens, hidden]

Tiles that are 0 all over fill up a batch, and are left out as transformers leaves them out. Without the mask input (`mask=False`) every
tile is whole and none is left out.
"""

from dataclasses import dataclass

import numpy as np

from builder import BOOL, GraphBuilder
from checkpoint import Checkpoint
from precision import Precision
from vision.arithmetic import Arithmetic
from vision.common import layer_norm, patch_embedding, pixel_shuffle, shape
from vision.encoder import IDEFICS3, Tower, encode, read_tower
from vision.llava import FEATURES, PIXELS

MASK = "pixel_attention_mask"


@dataclass(frozen=True)
class Tiles:
    """`pixels` [tiles, 3, h, w]; `rows`, `columns` int64 [1]: patches that a tile has room for; `present` bool [tiles, rows, columns]:
    where there is a picture; None: everywhere."""

    pixels: str
    rows: str
    columns: str
    present: str | None


def build(checkpoint: Checkpoint, precision: Precision, mask: bool = True) -> GraphBuilder:
    g = GraphBuilder(checkpoint, precision, "vision_encoder")
    features = encode_tiles(g, mask)
    g.real_output(features, FEATURES, ["num_tiles", "num_tokens", hidden_size(checkpoint)])
    return g


def tower_name(checkpoint: Checkpoint) -> str:
    return checkpoint.part("model.vision_model", "vision_model")


def connector(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.part('model.connector', 'connector')}.modality_projection.proj"


def hidden_size(checkpoint: Checkpoint) -> int:
    return checkpoint.shape(f"{connector(checkpoint)}.weight")[0]


def encode_tiles(g: GraphBuilder, masked: bool) -> str:
    """[tiles, tokens, hidden]"""
    tower = read_tower(g.checkpoint, tower_name(g.checkpoint), IDEFICS3, class_tokens=0)
    a = Arithmetic(g, "vision_tiles")
    tiles = read_tiles(a, tower, masked)
    at = f"{tower.root}.embeddings"
    x = patch_embedding(g, tiles.pixels, f"{at}.patch_embedding.weight", f"{at}.patch_embedding.bias", "vision_patches")
    table = g.weight(f"{at}.position_embedding.weight")
    x = g.node("Add", [x, g.node("Gather", [table, positions(a, tiles, tower.side)], "vision_positions", axis=0)], "vision_embedded")
    seen = None
    if tiles.present is not None:
        places = a.op("Mul", tiles.rows, tiles.columns)
        seen = a.int32(a.op("Reshape", tiles.present, a.op("Concat", g.ints(-1), places, axis=0)))
    x = encode(g, x, tower, tower.layers, seen)[-1]
    x = layer_norm(g, x, f"{tower.root}.post_layernorm", tower.eps, "vision_normed")
    factor = g.checkpoint.config.get("scale_factor", 2)
    rows, columns = (a.op("Div", length, g.ints(factor)) for length in (tiles.rows, tiles.columns))
    return g.linear(pixel_shuffle(g, x, rows, columns, factor, tower.width, "vision_shuffled"), connector(g.checkpoint), "vision_projected")


def read_tiles(a: Arithmetic, tower: Tower, masked: bool) -> Tiles:
    """Declares the inputs; the tiles of the whole batch one behind the other."""
    g = a.g
    pixels = g.real_input(PIXELS, ["batch_size", "num_images", 3, "height", "width"])
    height_width = a.op("Slice", a.op("Shape", pixels), g.ints(3), g.ints(5))
    pixels = a.op("Reshape", pixels, a.op("Concat", g.ints(-1, 3), height_width, axis=0))
    rows, columns = (a.op("Div", a.op("Slice", height_width, g.ints(i), g.ints(i + 1)), g.ints(tower.patch)) for i in (0, 1))
    if not masked:
        return Tiles(pixels, rows, columns, None)
    mask = g.input(MASK, BOOL, ["batch_size", "num_images", "height", "width"])
    mask = a.op("Reshape", mask, a.op("Concat", g.ints(-1, 1), height_width, axis=0))
    largest = a.op("ReduceMax", a.op("Abs", pixels), axes=[1, 2, 3], keepdims=0)
    used = a.op("Greater", largest, g.float_scalar(0.0))
    pixels, mask = (a.op("Compress", part, used, axis=0) for part in (pixels, mask))
    # A patch is there as soon as one of its pixels is; a rest that fills no patch does not count.
    lengths = [a.op("Mul", count, g.ints(tower.patch)) for count in (rows, columns)]
    mask = a.op("Slice", a.int32(mask), g.ints(0, 0), a.op("Concat", *lengths, axis=0), g.ints(2, 3))
    blocks = a.op("Reshape", mask, shape(g, [-1, rows, tower.patch, columns, tower.patch], "vision_mask_blocks"))
    return Tiles(pixels, rows, columns, a.truth(a.op("ReduceSum", blocks, g.ints(2, 4), keepdims=0)))


def positions(a: Arithmetic, tiles: Tiles, side: int) -> str:
    """Rows of the position table, int64 [tiles, patches]; of whole tiles [1, patches].

    A picture's patches are spread over the table whatever its size: patch k of n takes the table's row ⌊k / n · side⌋, where k / n
    and the steps of the table are rounded to float32 as transformers rounds them. Patches without a picture take position 0.
    """
    g = a.g
    counts = [tiles.rows, tiles.columns]
    if tiles.present is not None:
        present = a.int64(tiles.present)
        # How many rows and columns a picture has shows in its first column and row.
        counts = [a.op("ReduceSum", a.op("Gather", present, g.scalar(0), axis=axis), g.ints(1), keepdims=1) for axis in (2, 1)]
    down, across = (
        a.op("Unsqueeze", bucket(a, a.range(a.op("Squeeze", room, g.ints(0))), count, side), g.ints(axis))
        for room, count, axis in zip((tiles.rows, tiles.columns), counts, (2, 1), strict=True)
    )
    places = a.add(a.times(down, g.scalar(side)), across)
    if tiles.present is not None:
        places = a.times(places, present)
    return a.op("Reshape", places, a.op("Concat", g.ints(-1), a.times(tiles.rows, tiles.columns), axis=0))


def bucket(a: Arithmetic, index: str, count: str, side: int) -> str:
    """How many of the table's inner boundaries are at or before `index` / `count`, [n, m]; int64 [m], and [n, 1] or [1]."""
    g = a.g
    # In float64, and then rounded: onnxruntime would turn x · (1 / y) of one type into x / y, which rounds otherwise.
    step = a.float32(a.op("Div", a.double_number(1.0), a.double(count)))
    part = a.op("Mul", a.float32(index), step)
    part = a.op("Min", part, a.float_number(1.0 - 1e-6))
    passed = a.op("LessOrEqual", g.constant("vision_boundaries", boundaries(side).reshape(-1, 1, 1)), part)
    return a.op("ReduceSum", a.int64(passed), g.ints(0), keepdims=0)


def boundaries(side: int) -> np.ndarray:
    """float32: 1 / side, 2 / side … as torch.arange rounds them on x86: in pairs of vectors of 8, each from its rounded first element,
    and the rest one by one. So a patch whose place is a boundary but for rounding falls into the bucket that it has there."""
    step = 1 / side
    exact = np.arange(step, 1.0, step)
    index = np.arange(len(exact))
    first = (step + step * (index - index % 8)).astype(np.float32).astype(np.float64)
    paired = index < len(exact) // 16 * 16
    return np.where(paired, first + index % 8 * step, step + step * index).astype(np.float32)
