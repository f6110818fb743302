"""Qwen2.5-VL's tower: RMS norms, a gated perceptron, most blocks within windows. Inputs and outputs: see qwen.py.

The patches stay in their order: a window's are gathered for its attention and put back, where transformers sorts all patches by
window before the blocks and tokens back behind them.
"""

from builder import GraphBuilder
from checkpoint import Checkpoint
from decoders.blocks import gated_mlp, rms_norm
from precision import Precision
from vision.qwen import EPS, attend_in_frames, attend_in_windows, block_attention, finish, start
from vision.qwen2_vl import merge


def build(checkpoint: Checkpoint, precision: Precision) -> GraphBuilder:
    s = start(
        checkpoint, precision,
        hidden_act="silu", window_size=112, patch_size=14, fullatt_block_indexes=[7, 15, 23, 31],
    )  # fmt: skip
    g, tower, x = s.g, s.tower, s.x
    config = tower.config
    in_frames = attend_in_frames(s, s.grid.frames())
    in_windows = attend_in_windows(s, s.grid.windows(config["window_size"] // tower.merge // config["patch_size"]))
    for i in range(config["depth"]):
        block, at = tower.block(i), f"vision_{i}"
        attention = in_frames if i in config["fullatt_block_indexes"] else in_windows
        normed = rms_norm(g, x, f"{block}.norm1.weight", EPS, f"{at}_norm1")
        x = g.node("Add", [x, block_attention(s, normed, block, at, attention)], f"{at}_middle")
        normed = rms_norm(g, x, f"{block}.norm2.weight", EPS, f"{at}_norm2")
        x = g.node("Add", [x, gated_mlp(g, normed, f"{block}.mlp", config["hidden_act"], f"{at}_mlp")], f"{at}_out")
    return finish(s, *merge(s, rms_norm(g, x, f"{tower.root}.merger.ln_q.weight", EPS, "vision_normed")))
