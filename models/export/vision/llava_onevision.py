"""LLaVA-OneVision: SigLIP, a two-layer projector, and the tiles of one image packed into its tokens (`anyres`).

    pixel_values [tiles, 3, size, size], image_sizes int64 [1, 2] (height, width of the original) → image_features [tokens, hidden]

One tile alone (as where a prompt has several images) gives its patches and a newline.
"""

from builder import INT64, GraphBuilder
from checkpoint import Checkpoint, CheckpointError
from precision import Precision
from vision.anyres import best_canvas, scaled_size, unpad
from vision.arithmetic import Arithmetic
from vision.common import shape
from vision.llava import FEATURES, PIXELS, Patches, hidden_size, project, read_patches

SIZES = "image_sizes"


def build(checkpoint: Checkpoint, precision: Precision) -> GraphBuilder:
    g = GraphBuilder(checkpoint, precision, "vision_encoder")
    patches = read_patches(checkpoint, layer=-1, strategy="full")
    size = patches.tower.image_size
    pixels = g.real_input(PIXELS, ["num_tiles", 3, size, size])
    g.input(SIZES, INT64, [1, 2])
    features = project(g, pixels, patches)
    g.real_output(pack(g, features, patches), FEATURES, ["num_tokens", hidden_size(checkpoint)])
    return g


def pack(g: GraphBuilder, features: str, patches: Patches) -> str:
    """[tokens, hidden] of the tiles' features [tiles, patches, hidden]."""
    side, hidden = patches.tower.side, hidden_size(g.checkpoint)
    if patches.tokens != side * side:
        raise CheckpointError("config.json: vision_feature_select_strategy must leave all patches: a grid is put together of them")
    a = Arithmetic(g, "vision_pack")
    rows_of_features = g.node("Reshape", [features, g.ints(-1, hidden)], "vision_rows")
    whole = g.node("Slice", [rows_of_features, g.ints(0), g.ints(side * side), g.ints(0)], "vision_whole")
    tiles = a.element(g.node("Shape", [features], "vision_features_shape"), 0)
    cut = a.int64(a.op("Greater", tiles, g.scalar(1)))

    sizes = g.node("Reshape", [SIZES, g.ints(-1)], "vision_sizes")
    height, width = a.element(sizes, 0), a.element(sizes, 1)
    canvas = best_canvas(a, height, width, pinpoints(g.checkpoint))
    rows, columns = (a.op("Mul", a.op("Div", length, g.scalar(patches.tower.image_size)), g.scalar(side)) for length in canvas)
    above, left = unpad(a, height, width, rows, columns)
    inner = [a.op("Sub", have, a.op("Mul", gone, g.scalar(2))) for have, gone in ((rows, above), (columns, left))]
    outer = list(scaled_size(a, *inner, most=most_tiles(g.checkpoint) * side * side))
    outer[0] = a.op("Mul", outer[0], cut)

    down = taps(a, above, inner[0], outer[0])
    across = taps(a, left, inner[1], outer[1])
    grid = resample(a, rows_of_features, down, across, columns, side)
    # [rows, columns, hidden], and a newline behind each row; or, where nothing was cut, one newline for all.
    one = a.op("Unsqueeze", outer[0], g.ints(0))
    newline = g.weight(g.checkpoint.first("image_newline", "model.image_newline"))
    ends = a.op("Expand", newline, shape(g, [one, 1, hidden], "vision_ends_shape"))
    lines = a.op("Reshape", a.op("Concat", grid, ends, axis=1), g.ints(-1, hidden))
    uncut = a.op("Unsqueeze", a.op("Sub", g.scalar(1), cut), g.ints(0))
    last = a.op("Expand", newline, shape(g, [uncut, hidden], "vision_last_shape"))
    return g.node("Concat", [whole, lines, last], "vision_packed", axis=0)


def pinpoints(checkpoint: Checkpoint) -> list[list[int]]:
    found = checkpoint.config.get("image_grid_pinpoints")
    if not found:
        raise CheckpointError("config.json: image_grid_pinpoints is missing; it lists the canvases as [height, width]")
    return found


def most_tiles(checkpoint: Checkpoint) -> int:
    """N of `anyres_max_N`."""
    kind = checkpoint.config.get("vision_aspect_ratio", "anyres_max_9")
    prefix, _, number = kind.rpartition("_")
    if prefix != "anyres_max" or not number.isdigit():
        raise CheckpointError(f'config.json: vision_aspect_ratio "{kind}" is not exported; known is anyres_max_N')
    return int(number)


def taps(a: Arithmetic, start: str, inside: str, outside: str) -> tuple[list[str], list[str]]:
    """For `outside` samples of the `inside` patches from `start` on: the two patches of each, int64, and their weights.

    Bilinear, pixel centres at halves, in float32 (torch's interpolate, align_corners=False). All shapes are [outside]; where inside =
    outside every sample is a patch.
    """
    g = a.g
    at = a.float32(a.range(outside))
    step = a.op("Div", a.float32(inside), a.float32(outside))
    half, zero, one = (a.float_number(value) for value in (0.5, 0.0, 1.0))
    exact = a.op("Max", a.op("Sub", a.op("Mul", step, a.op("Add", at, half)), half), zero)
    last = a.op("Sub", inside, g.scalar(1))
    lower = a.op("Min", a.whole(exact), last)
    upper = a.op("Min", a.op("Add", lower, g.scalar(1)), last)
    second = a.op("Sub", exact, a.float32(lower))
    weights = [a.real(weight) for weight in (a.op("Sub", one, second), second)]
    return [a.op("Add", tap, start) for tap in (lower, upper)], weights


def resample(a: Arithmetic, features: str, down: tuple, across: tuple, columns: str, side: int) -> str:
    """[rows, columns, hidden], each the weighted sum of four patches of the map that the tiles behind the first make."""
    g = a.g
    tile_columns = a.op("Div", columns, g.scalar(side))
    result = None
    for row, row_weight in zip(*down, strict=True):
        for column, column_weight in zip(*across, strict=True):
            index = place(a, row, column, tile_columns, side)
            row_weights = a.op("Unsqueeze", row_weight, g.ints(1, 2))
            weight = a.op("Mul", row_weights, a.op("Unsqueeze", column_weight, g.ints(1)))
            part = a.op("Mul", a.op("Gather", features, index, axis=0), weight)
            result = part if result is None else a.op("Add", result, part)
    return result


def place(a: Arithmetic, row: str, column: str, tile_columns: str, side: int) -> str:
    """int64 [rows, columns]: where among the rows of features the patch (row, column) of the whole map is."""
    g = a.g
    n = g.scalar(side)
    tile_row, inner_row = a.op("Div", row, n), a.op("Mod", row, n)
    tile_column, inner_column = a.op("Div", column, n), a.op("Mod", column, n)
    # The first tile is the whole image.
    by_row = a.op("Add", a.op("Mul", a.op("Mul", tile_row, tile_columns), g.scalar(side * side)), a.op("Mul", inner_row, n))
    by_column = a.op("Add", a.op("Mul", tile_column, g.scalar(side * side)), inner_column)
    by_column = a.op("Add", by_column, g.scalar(side * side))
    return a.op("Add", a.op("Unsqueeze", by_row, g.ints(1)), by_column)
