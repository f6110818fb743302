"""Qwen3-VL's tower: positions from a learned square table besides the rotary ones, and "deepstack". See qwen.py.

    deepstack_features.0 …  [tokens, hidden]: of the blocks in `deepstack_visual_indexes`; the language model adds number i to its
                            hidden states behind layer i, where the image's tokens are
"""

import math

from builder import GraphBuilder
from checkpoint import Checkpoint, CheckpointError
from precision import Precision
from vision.arithmetic import Arithmetic
from vision.common import layer_norm, mlp
from vision.qwen import EPS, Start, attend_in_frames, block_attention, finish, merge_tokens, start

DEEPSTACK = "deepstack_features"


def build(checkpoint: Checkpoint, precision: Precision) -> GraphBuilder:
    s = start(checkpoint, precision, depth=27, hidden_act="gelu_pytorch_tanh", deepstack_visual_indexes=[8, 16, 24])
    g, tower = s.g, s.tower
    config = tower.config
    x = g.node("Add", [s.x, learned_positions(s)], "vision_embedded")
    attention = attend_in_frames(s, s.grid.frames())
    deep: dict[int, str] = {}
    for i in range(config["depth"]):
        block, at = tower.block(i), f"vision_{i}"
        normed = layer_norm(g, x, f"{block}.norm1", EPS, f"{at}_norm1")
        x = g.node("Add", [x, block_attention(s, normed, block, at, attention)], f"{at}_middle")
        normed = layer_norm(g, x, f"{block}.norm2", EPS, f"{at}_norm2")
        perceptron = mlp(g, normed, f"{block}.mlp.linear_fc1", f"{block}.mlp.linear_fc2", config["hidden_act"], f"{at}_mlp")
        x = g.node("Add", [x, perceptron], f"{at}_out")
        if i in config["deepstack_visual_indexes"]:
            index = config["deepstack_visual_indexes"].index(i)
            deep[index] = merge(s, x, f"{tower.root}.deepstack_merger_list.{index}", True, f"vision_deep_{index}")
    hidden = checkpoint.shape(f"{tower.root}.merger.linear_fc2.weight")[0]
    finish(s, merge(s, x, f"{tower.root}.merger", False, "vision_merged"), hidden)
    for index in sorted(deep):
        g.real_output(deep[index], f"{DEEPSTACK}.{index}", ["num_tokens", hidden])
    return g


def merge(s: Start, x: str, root: str, norm_tokens: bool, out: str) -> str:
    """Squares of patches through a merger. `norm_tokens`: the norm goes over a whole square, and not over each patch."""
    g = s.g
    if norm_tokens:
        tokens = layer_norm(g, merge_tokens(s, x, f"{out}_tokens"), f"{root}.norm", EPS, f"{out}_normed")
    else:
        tokens = merge_tokens(s, layer_norm(g, x, f"{root}.norm", EPS, f"{out}_normed"), f"{out}_tokens")
    return mlp(g, tokens, f"{root}.linear_fc1", f"{root}.linear_fc2", "gelu", out)


def learned_positions(s: Start) -> str:
    """[patches, width]: the table stretched over each image's grid, corner to corner, bilinear."""
    g = s.g
    a = Arithmetic(g, "vision_learned")
    name = f"{s.tower.root}.pos_embed.weight"
    count = g.checkpoint.shape(name)[0]
    side = math.isqrt(count)
    if side * side != count:
        raise CheckpointError(f"{name}: {count} positions are no square table")
    down, across = taps(a, s.patches.rows, s.patches.heights, side), taps(a, s.patches.columns, s.patches.widths, side)
    table, result = g.weight(name), None
    for row, row_weight in down:
        for column, column_weight in across:
            index = a.add(a.times(row, g.scalar(side)), column)
            weight = a.op("Unsqueeze", a.real(a.op("Mul", row_weight, column_weight)), g.ints(1))
            part = a.op("Mul", a.pick(table, index), weight)
            result = part if result is None else a.add(result, part)
    return result


def taps(a: Arithmetic, index: str, size: str, side: int) -> list[tuple[str, str]]:
    """The two table rows (or columns) that patch `index` of `size` lies between, int64, and their weights, float32; in float32 as
    transformers does it."""
    g, one = a.g, a.float_number(1.0)
    steps = a.op("Max", a.subtract(size, g.scalar(1)), g.scalar(1))
    place = a.op("Div", a.op("Mul", a.float32(index), a.float_number(float(side - 1))), a.float32(steps))
    floor = a.op("Floor", place)
    lower = a.int64(floor)
    second = a.op("Sub", place, floor)
    upper = a.op("Min", a.add(lower, g.scalar(1)), g.scalar(side - 1))
    return [(lower, a.op("Sub", one, second)), (upper, second)]
