"""LLaVA-OneVision's packing of an image's tiles ("any resolution"), by tensor operations on its size.

An image was fitted into the best of the canvases (`image_grid_pinpoints`), padded, and cut into tiles; before them stands the
whole image as one tile. Here the tiles' patches are put together again, the padding is cut off, what is more than
`anyres_max_N` tiles' worth is scaled down, and a newline embedding ends every row (transformers
models/llava_onevision: pack_image_features, unpad_image; image_processing_utils: select_best_resolution). All of this is arithmetic
on a few numbers, in float64 as Python does it: a patch more or less would not fit the prompt.
"""

import numpy as np

from vision.arithmetic import Arithmetic


def best_canvas(a: Arithmetic, height: str, width: str, canvases: list[list[int]]) -> tuple[str, str]:
    """The canvas [height, width] that keeps the most of the image, among these the one that wastes least; the first of equals.

    `height`, `width`: int64 [], the original image's.
    """
    g = a.g
    heights, widths = np.array(canvases, np.int64).T
    scales = [
        a.op("Div", g.constant(f"vision_canvas_{name}_double", side.astype(np.float64)), a.double(original))
        for name, side, original in (("widths", widths, width), ("heights", heights, height))
    ]
    scale = a.op("Min", *scales)
    fitted = [a.whole(a.op("Mul", a.double(original), scale)) for original in (width, height)]
    kept = a.op("Min", a.op("Mul", *fitted), a.op("Mul", width, height))
    wasted = a.op("Sub", g.constant("vision_canvas_areas", heights * widths), kept)
    # One number to compare by: neither part has more than 32 bits.
    merit = a.op("Sub", a.op("Mul", kept, g.scalar(1 << 32)), wasted)
    g.node("TopK", [merit, g.ints(1)], ["vision_canvas_merit", "vision_canvas_best"], axis=0)
    best = a.op("Squeeze", "vision_canvas_best", g.ints(0))
    return (
        a.op("Gather", g.constant("vision_canvas_heights", heights), best, axis=0),
        a.op("Gather", g.constant("vision_canvas_widths", widths), best, axis=0),
    )


def unpad(a: Arithmetic, height: str, width: str, rows: str, columns: str) -> tuple[str, str]:
    """Patch rows above, and patch columns left of, an image of height × width in a map of rows × columns; as many follow it."""
    wide = a.op("Greater", a.op("Div", a.double(width), a.double(height)), a.op("Div", a.double(columns), a.double(rows)))

    def padding(have: str, other: str, original: str, other_original: str) -> str:
        scale = a.op("Div", a.double(other), a.double(other_original))
        exact = a.op("Mul", a.op("Mul", a.double(original), scale), a.double_number(1e7))
        rounded = a.op("Div", a.op("Round", exact), a.double_number(1e7))
        return a.op("Div", a.op("Sub", have, a.whole(rounded)), a.g.scalar(2))

    zero = a.g.scalar(0)
    return (
        a.op("Where", wide, padding(rows, columns, height, width), zero),
        a.op("Where", wide, zero, padding(columns, rows, width, height)),
    )


def scaled_size(a: Arithmetic, rows: str, columns: str, most: int) -> tuple[str, str]:
    """rows × columns, scaled down where they are clearly more than `most` patches."""
    area = a.op("Div", a.double(a.op("Mul", rows, columns)), a.double_number(float(most)))
    ratio = a.op("Sqrt", area)
    large = a.op("Greater", ratio, a.double_number(1.1))
    return tuple(a.op("Where", large, a.floor_divide(a.double(side), ratio), side) for side in (rows, columns))
