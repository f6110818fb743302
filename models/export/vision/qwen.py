"""What the vision towers of Qwen2-VL, Qwen2.5-VL and Qwen3-VL have in common (transformers models/qwen2_vl and its successors).

    pixel_values [patches, channels · frames · patch²], image_grid_thw int64 [images, 3] → image_features [tokens, hidden]

Patches of all images of a run lie one behind the other. Everything that depends on the grid is computed from it in the graph.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import helper

from builder import BOOL, FLOAT, FLOAT16, INT64, MICROSOFT, GraphBuilder
from checkpoint import Checkpoint
from decoders.rotary import Rotary
from precision import Precision
from vision.common import attend, vision_config
from vision.llava import FEATURES, PIXELS
from vision.patch_grid import Frames, PatchGrid, Patches, Windows

GRID = "image_grid_thw"
EPS = 1e-6
# Queries, keys, values [1, patches, width] → [1, patches, width]; the name of the result.
Attention = Callable[[str, str, str, str], str]


@dataclass(frozen=True)
class QwenTower:
    """`config`: vision_config with its defaults; `width`: of a patch."""

    root: str
    config: dict
    width: int

    @property
    def heads(self) -> int:
        return self.config["num_heads"]

    @property
    def head_size(self) -> int:
        return self.width // self.heads

    @property
    def merge(self) -> int:
        return self.config["spatial_merge_size"]

    def block(self, index: int) -> str:
        return f"{self.root}.blocks.{index}"


@dataclass(frozen=True)
class Start:
    """What the blocks begin with: `x` [1, patches, width]."""

    g: GraphBuilder
    tower: QwenTower
    grid: PatchGrid
    patches: Patches
    rotary: Rotary
    x: str


def start(checkpoint: Checkpoint, precision: Precision, **defaults: Any) -> Start:
    """Declares the inputs and embeds the patches. `defaults`: of the family's vision_config."""
    g = GraphBuilder(checkpoint, precision, "vision_encoder")
    root = checkpoint.part("visual", "model.visual")
    config = vision_config(checkpoint, **{"num_heads": 16, "depth": 32, "spatial_merge_size": 2, **defaults})
    embedding = f"{root}.patch_embed.proj"
    width, *kernel = checkpoint.shape(f"{embedding}.weight")
    tower = QwenTower(root, config, width)
    pixels = g.real_input(PIXELS, ["num_patches", int(np.prod(kernel))])
    grid = PatchGrid(g, g.input(GRID, INT64, ["num_images", 3]), tower.merge)
    patches = grid.patches()
    # A convolution whose kernel is all of its input is a matrix; in every precision it stays as it is.
    matrix = g.weight(f"{embedding}.weight", lambda weight: weight.reshape(width, -1).T)
    x = g.node("MatMul", [pixels, matrix], "vision_patches")
    if f"{embedding}.bias" in checkpoint:
        x = g.node("Add", [x, g.weight(f"{embedding}.bias")], "vision_patches_biased")
    x = g.node("Unsqueeze", [x, g.ints(0)], "vision_row")
    return Start(g, tower, grid, patches, rotary(g, patches, tower), x)


def rotary(g: GraphBuilder, patches: Patches, tower: QwenTower) -> Rotary:
    """The first quarter of a head's angles goes by the row, the second by the column; the other half is the same again."""
    theta = (tower.config.get("rope_parameters") or {}).get("rope_theta", 10000.0)
    half = tower.head_size // 2
    exponents = np.arange(0, half, 2, dtype=np.float32) / np.float32(half)
    frequencies = (1.0 / np.float32(theta) ** exponents).astype(np.float32)
    axes = [g.node("Unsqueeze", [axis, g.ints(1)], f"vision_{name}") for name, axis in
            (("rows", patches.rows), ("columns", patches.columns))]  # fmt: skip
    both = g.node("Unsqueeze", [g.node("Concat", axes, "vision_places", axis=1), g.ints(2)], "vision_places_each")
    both = g.node("Cast", [both], "vision_places_float", to=FLOAT)
    angles = g.node("Mul", [both, g.constant("vision_frequencies", frequencies)], "vision_angles")
    angles = g.node("Reshape", [angles, g.ints(-1, half)], "vision_angles_flat")
    tables = []
    for op in ("Cos", "Sin"):
        table = g.node(op, [angles], f"vision_{op.lower()}32" if g.precision.half else f"vision_{op.lower()}")
        tables.append(g.node("Cast", [table], f"vision_{op.lower()}", to=FLOAT16) if g.precision.half else table)
    count = g.node("Size", [patches.rows], "vision_patch_count")
    numbers = g.node("Range", [g.scalar(0), count, g.scalar(1)], "vision_numbers")
    return Rotary(*tables, g.node("Unsqueeze", [numbers, g.ints(0)], "vision_rotary_rows"), interleaved=False)


def block_attention(s: Start, normed: str, block: str, at: str, attention: Attention) -> str:
    """The attention of one block, with its projections."""
    g = s.g
    qkv = g.biased(normed, f"{block}.attn.qkv", f"{at}_qkv")
    parts = [f"{at}_{part}" for part in "qkv"]
    g.node("Split", [qkv, g.ints(*(s.tower.width,) * 3)], parts, axis=-1)
    q, k = (s.rotary.rotate(g, part, f"{part}_rotated") for part in parts[:2])
    return g.biased(attention(q, k, parts[2], f"{at}_attended"), f"{block}.attn.proj", f"{at}_attention")


def attend_in_frames(s: Start, frames: Frames) -> Attention:
    """Each frame by itself, in a loop: their lengths differ, and a mask over all patches would be far larger than they are."""
    g, width = s.g, s.tower.width

    def attention(q: str, k: str, v: str, out: str) -> str:
        of = f"{out}_body"
        nodes = [
            helper.make_node("Unsqueeze", [f"{of}_i", g.ints(0)], [f"{of}_index"]),
            helper.make_node("Gather", [frames.starts, f"{of}_index"], [f"{of}_start"], axis=0),
            helper.make_node("Gather", [frames.ends, f"{of}_index"], [f"{of}_end"], axis=0),
            *(helper.make_node("Slice", [part, f"{of}_start", f"{of}_end", g.ints(1)], [f"{of}_{name}"])
              for name, part in (("q", q), ("k", k), ("v", v))),
            helper.make_node("MultiHeadAttention", [f"{of}_{part}" for part in "qkv"], [f"{of}_frame"],
                             domain=MICROSOFT, num_heads=s.tower.heads),
            helper.make_node("Concat", [f"{of}_before", f"{of}_frame"], [f"{of}_after"], axis=1),
            helper.make_node("Identity", [f"{of}_go"], [f"{of}_on"]),
        ]  # fmt: skip
        for node in nodes:
            node.name = f"/{node.output[0]}/{node.op_type}"
        sized = [1, None, width]
        body = helper.make_graph(
            nodes,
            of,
            [info(f"{of}_i", INT64, []), info(f"{of}_go", BOOL, []), info(f"{of}_before", g.real, sized)],
            [info(f"{of}_on", BOOL, []), info(f"{of}_after", g.real, sized)],
        )
        nothing = g.floats(f"vision_nothing_{width}", np.zeros((1, 0, width)))
        return g.node("Loop", [frames.count, "", nothing], out, body=body)

    return attention


def attend_in_windows(s: Start, windows: Windows) -> Attention:
    """All windows as one batch."""
    g, width = s.g, s.tower.width
    unit = s.tower.merge**2 * width

    def attention(q: str, k: str, v: str, out: str) -> str:
        parts = []
        for name, part in (("q", q), ("k", k), ("v", v)):
            tokens = g.node("Reshape", [part, g.ints(-1, unit)], f"{out}_{name}_tokens")
            slots = g.node("Gather", [tokens, windows.tokens], f"{out}_{name}_slots", axis=0)
            parts.append(g.node("Reshape", [slots, g.ints(-1, windows.length, width)], f"{out}_{name}_windows"))
        attended = attend(g, *parts, s.tower.heads, f"{out}_windows", windows.mask)
        slots = g.node("Reshape", [attended, g.ints(-1, unit)], f"{out}_slots")
        tokens = g.node("Gather", [slots, windows.slots], f"{out}_tokens", axis=0)
        return g.node("Reshape", [tokens, g.ints(1, -1, width)], out)

    return attention


def merge_tokens(s: Start, x: str, out: str) -> str:
    """[1, patches, width] → [tokens, merge² · width]"""
    return s.g.node("Reshape", [x, s.g.ints(-1, s.tower.merge**2 * s.tower.width)], out)


def finish(s: Start, features: str, hidden: int) -> GraphBuilder:
    s.g.real_output(features, FEATURES, ["num_tokens", hidden])
    return s.g


def info(name: str, kind: int, sizes: list):
    return helper.make_tensor_value_info(name, kind, sizes)
