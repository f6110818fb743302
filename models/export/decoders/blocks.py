"""Parts of a decoder layer that the model types share."""

import numpy as np

from builder import MICROSOFT, GraphBuilder
from checkpoint import CheckpointError


def rms_norm(
    g: GraphBuilder, x: str, weight: str, eps: float, out: str, plus_one: bool = False, full: bool = False
) -> str:
    """Over the last axis.

    `plus_one`: Gemma's weights are stored as what is added to 1. `full`: x is float32 in every precision.
    """
    scale = g.weight(weight, (lambda w: w + 1) if plus_one else None, full)
    return g.node("SimplifiedLayerNormalization", [x, scale], out, axis=-1, epsilon=eps, stash_type=1)


def norm_heads(g: GraphBuilder, x: str, scale: str, head_dim: int, eps: float, out: str) -> str:
    """`rms_norm` of each head of x [B, S, heads · headDim]; `scale`: the name of a constant [headDim]."""
    heads = g.node("Reshape", [x, g.ints(0, 0, -1, head_dim)], f"{out}_heads")
    normed = g.node(
        "SimplifiedLayerNormalization", [heads, scale], f"{out}_heads_normed", axis=-1, epsilon=eps, stash_type=1
    )
    return g.node("Reshape", [normed, g.ints(0, 0, -1)], out)


def activate(g: GraphBuilder, x: str, kind: str, out: str) -> str:
    """@raise CheckpointError: of an activation that is not written out here"""
    if kind == "silu":
        return g.node("Mul", [x, g.node("Sigmoid", [x], f"{out}_sigmoid")], out)
    if kind in ("gelu_pytorch_tanh", "gelu_new", "gelu_fast"):
        return g.node("FastGelu", [x], out, MICROSOFT)
    if kind == "gelu":
        return g.node("Gelu", [x], out, MICROSOFT)
    raise CheckpointError(f'config.json: hidden_act "{kind}" is not exported; known are silu, gelu, gelu_pytorch_tanh')


def gated_mlp(g: GraphBuilder, x: str, root: str, activation: str, out: str) -> str:
    """down(act(gate(x)) · up(x))"""
    gate = activate(g, g.biased(x, f"{root}.gate_proj", f"{out}_gate"), activation, f"{out}_active")
    up = g.biased(x, f"{root}.up_proj", f"{out}_up")
    return g.biased(g.node("Mul", [gate, up], f"{out}_inner"), f"{root}.down_proj", out)


def ones(g: GraphBuilder, size: int) -> str:
    return g.floats(f"ones_{size}", np.ones(size))
