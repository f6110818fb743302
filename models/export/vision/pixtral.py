"""Pixtral's tower (transformers models/pixtral): patches of an image of any size, told where they are by rotary embedding.

The first half of a head's angles goes by the row, the second by the column; all patches of an image see each other.
"""

from dataclasses import dataclass

import numpy as np

from builder import FLOAT, FLOAT16, GraphBuilder
from checkpoint import Checkpoint
from decoders.blocks import gated_mlp, rms_norm
from decoders.rotary import Rotary
from vision.arithmetic import Arithmetic
from vision.common import attend, patch_embedding, vision_config

EPS = 1e-5
CHANNELS = 3
DEFAULTS = {"num_hidden_layers": 24, "num_attention_heads": 16, "hidden_act": "gelu"}


@dataclass(frozen=True)
class PixtralTower:
    root: str
    layers: int
    heads: int
    activation: str
    theta: float
    width: int
    patch: int

    @property
    def head_size(self) -> int:
        return self.width // self.heads


@dataclass(frozen=True)
class PatchMap:
    """Rows and columns of patches of each image, and how many images there are; int64 []."""

    rows: str
    columns: str
    images: str


def read_pixtral(checkpoint: Checkpoint) -> PixtralTower:
    root = checkpoint.part("vision_tower", "model.vision_tower")
    config = vision_config(checkpoint, **DEFAULTS)
    rope = config.get("rope_parameters") or {}
    theta = rope.get("rope_theta", config.get("rope_theta", 10000.0))
    width, _, patch, _ = checkpoint.shape(f"{root}.patch_conv.weight")
    return PixtralTower(
        root, config["num_hidden_layers"], config["num_attention_heads"], config["hidden_act"], theta, width, patch
    )


def patch_map(a: Arithmetic, pixels: str, patch: int) -> PatchMap:
    """Of pixels [n, 3, h, w]."""
    sizes = a.op("Shape", pixels)
    side = a.g.scalar(patch)
    return PatchMap(a.divide(a.element(sizes, 2), side), a.divide(a.element(sizes, 3), side), a.element(sizes, 0))


def pixtral_states(g: GraphBuilder, pixels: str, tower: PixtralTower, places: PatchMap, layers: int) -> str:
    """What leaves layer `layers` (0: what enters the first), [n, patches, width]."""
    x = patch_embedding(g, pixels, f"{tower.root}.patch_conv.weight", None, "vision_patches")
    x = rms_norm(g, x, f"{tower.root}.ln_pre.weight", EPS, "vision_normed")
    rotary = patch_rotary(g, tower, places)
    for i in range(layers):
        layer, at = f"{tower.root}.transformer.layers.{i}", f"vision_{i}"
        normed = rms_norm(g, x, f"{layer}.attention_norm.weight", EPS, f"{at}_norm1")
        q, k, v = (g.biased(normed, f"{layer}.attention.{part}_proj", f"{at}_{part}") for part in "qkv")
        q, k = (rotary.rotate(g, part, f"{part}_rotated") for part in (q, k))
        attended = attend(g, q, k, v, tower.heads, f"{at}_attended")
        x = g.node("Add", [x, g.biased(attended, f"{layer}.attention.o_proj", f"{at}_attention")], f"{at}_middle")
        normed = rms_norm(g, x, f"{layer}.ffn_norm.weight", EPS, f"{at}_norm2")
        x = g.node("Add", [x, gated_mlp(g, normed, f"{layer}.feed_forward", tower.activation, f"{at}_mlp")], f"{at}_out")
    return x


def patch_rotary(g: GraphBuilder, tower: PixtralTower, places: PatchMap) -> Rotary:
    """Rows take the even frequencies, columns the odd ones."""
    a = Arithmetic(g, "vision_place")
    size = tower.head_size
    exponents = np.arange(0, size, 2, dtype=np.float32) / np.float32(size)
    frequencies = (np.float32(1) / np.float32(tower.theta) ** exponents).astype(np.float32)
    numbers = a.range(a.times(places.rows, places.columns))
    angles = []
    for name, axis, some in (
        ("row", a.divide(numbers, places.columns), frequencies[0::2]),
        ("column", a.modulo(numbers, places.columns), frequencies[1::2]),
    ):
        each = a.op("Cast", a.op("Unsqueeze", axis, g.ints(1)), to=FLOAT)
        angles.append(a.op("Mul", each, g.constant(f"vision_{name}_frequencies", some)))
    both = a.op("Concat", *angles, axis=1)
    tables = [a.op(op, both) for op in ("Cos", "Sin")]
    if g.precision.half:
        tables = [a.op("Cast", table, to=FLOAT16) for table in tables]
    count = a.op("Unsqueeze", places.images, g.ints(0))
    shape = a.op("Concat", count, a.op("Shape", numbers), axis=0)
    return Rotary(*tables, a.op("Expand", a.op("Unsqueeze", numbers, g.ints(0)), shape), interleaved=False)
