"""Parts that the vision towers share. Names of nodes begin with `vision_`."""

import math
from typing import Any

from builder import MICROSOFT, GraphBuilder
from checkpoint import Checkpoint
from decoders.blocks import activate as activate_as_decoder


def vision_config(checkpoint: Checkpoint, **defaults: Any) -> dict[str, Any]:
    """`vision_config` of config.json. `defaults`: the class's, for what real files leave out."""
    given = checkpoint.config.get("vision_config") or {}
    return {**defaults, **{key: value for key, value in given.items() if value is not None}}


def shape(g: GraphBuilder, sizes: list[int | str], out: str) -> str:
    """int64 [n] of numbers and of names of int64 [1]."""
    if all(isinstance(size, int) for size in sizes):
        return g.ints(*sizes)
    return g.node("Concat", [g.ints(size) if isinstance(size, int) else size for size in sizes], out, axis=0)


def layer_norm(g: GraphBuilder, x: str, name: str, eps: float, out: str) -> str:
    """Over the last axis, with `name`.weight and `name`.bias."""
    return g.node("LayerNormalization", [x, g.weight(f"{name}.weight"), g.weight(f"{name}.bias")], out, axis=-1, epsilon=eps)


def activate(g: GraphBuilder, x: str, kind: str, out: str) -> str:
    """@raise CheckpointError: of an activation that is not written out"""
    if kind == "quick_gelu":
        gate = g.node("Sigmoid", [g.node("Mul", [x, g.float_scalar(1.702)], f"{out}_scaled")], f"{out}_gate")
        return g.node("Mul", [x, gate], out)
    return activate_as_decoder(g, x, "gelu_pytorch_tanh" if kind == "gelu_python_tanh" else kind, out)


def mlp(g: GraphBuilder, x: str, first: str, second: str, activation: str, out: str) -> str:
    """second(act(first(x))); biases where the checkpoint has them."""
    inner = g.biased(x, first, f"{out}_inner")
    return g.biased(activate(g, inner, activation, f"{out}_active"), second, out)


def attend(g: GraphBuilder, q: str, k: str, v: str, heads: int, out: str, mask: str | None = None) -> str:
    """q, k, v [batch, length, heads · size], everyone sees everyone. `mask`: int32 [batch, length], 0 = no key."""
    return g.node("MultiHeadAttention", [q, k, v, *(("", mask) if mask else ())], out, MICROSOFT, num_heads=heads)


def patch_embedding(g: GraphBuilder, pixels: str, weight: str, bias: str | None, out: str) -> str:
    """pixels [n, 3, h, w] → [n, patches, width]; `weight`: the name of a kernel [width, 3, patch, patch], or of its rows flattened."""
    width, *rest = g.checkpoint.shape(weight)
    patch = math.isqrt(math.prod(rest) // 3)
    kernel = g.weight(weight, lambda stored: stored.reshape(width, 3, patch, patch))
    inputs = [pixels, kernel, *([g.weight(bias)] if bias else ())]
    x = g.node("Conv", inputs, f"{out}_map", kernel_shape=[patch, patch], strides=[patch, patch])
    return map_to_rows(g, x, width, out)


def map_to_rows(g: GraphBuilder, x: str, width: int, out: str) -> str:
    """[n, width, h, w] → [n, h · w, width]. There may be no image: n = 0, so the sizes of the map are multiplied here."""
    sizes = g.node("Slice", [g.node("Shape", [x], f"{out}_map_shape"), g.ints(2), g.ints(4)], f"{out}_map_size")
    places = g.node("ReduceProd", [sizes], f"{out}_places", axes=[0], keepdims=1)
    flat = g.node("Reshape", [x, shape(g, [-1, width, places], f"{out}_flat_shape")], f"{out}_flat")
    return g.node("Transpose", [flat], out, perm=[0, 2, 1])


def pixel_shuffle(g: GraphBuilder, x: str, rows: int | str, columns: int | str, factor: int, width: int, out: str) -> str:
    """x [n, rows · columns · factor², width] → [n, rows · columns, factor² · width]: squares of patches become one token.

    `rows`, `columns`: what there is of squares; numbers or names of int64 [1].
    """
    blocks = g.node("Reshape", [x, shape(g, [-1, rows, factor, columns, factor, width], f"{out}_blocks_shape")], f"{out}_blocks")
    turned = g.node("Transpose", [blocks], f"{out}_turned", perm=[0, 1, 3, 2, 4, 5])
    places = rows * columns if isinstance(rows, int) else g.node("Mul", [rows, columns], f"{out}_places")
    return g.node("Reshape", [turned, shape(g, [-1, places, factor**2 * width], f"{out}_shape")], out)


