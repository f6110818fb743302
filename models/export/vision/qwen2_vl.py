"""Qwen2-VL's tower: layer norms, a two-layer perceptron, every block over the whole frame. Inputs and outputs: see qwen.py."""

from builder import GraphBuilder
from checkpoint import Checkpoint
from precision import Precision
from vision.common import layer_norm, mlp
from vision.qwen import EPS, Start, attend_in_frames, block_attention, finish, merge_tokens, start


def build(checkpoint: Checkpoint, precision: Precision) -> GraphBuilder:
    s = start(checkpoint, precision, hidden_act="quick_gelu")
    g, tower, x = s.g, s.tower, s.x
    attention = attend_in_frames(s, s.grid.frames())
    for i in range(tower.config["depth"]):
        block, at = tower.block(i), f"vision_{i}"
        normed = layer_norm(g, x, f"{block}.norm1", EPS, f"{at}_norm1")
        x = g.node("Add", [x, block_attention(s, normed, block, at, attention)], f"{at}_middle")
        normed = layer_norm(g, x, f"{block}.norm2", EPS, f"{at}_norm2")
        perceptron = mlp(g, normed, f"{block}.mlp.fc1", f"{block}.mlp.fc2", tower.config["hidden_act"], f"{at}_mlp")
        x = g.node("Add", [x, perceptron], f"{at}_out")
    return finish(s, *merge(s, layer_norm(g, x, f"{tower.root}.merger.ln_q", EPS, "vision_normed")))


def merge(s: Start, normed: str) -> tuple[str, int]:
    """Squares of patches through the merger's perceptron: the features, and their size."""
    root = f"{s.tower.root}.merger.mlp"
    tokens = merge_tokens(s, normed, "vision_tokens")
    features = mlp(s.g, tokens, f"{root}.0", f"{root}.2", "gelu", "vision_merged")
    return features, s.g.checkpoint.shape(f"{root}.2.weight")[0]
