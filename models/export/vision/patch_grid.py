"""Where the patches of Qwen's images are, computed from `image_grid_thw` (int64 [n, 3]: frames, rows and columns of patches).

Patches of all images lie one behind the other, frame by frame; within a frame by squares of merge × merge, which become one token:
(row of squares, column of squares, row in the square, column in the square). See transformers' vision_utils.
"""

from dataclasses import dataclass

from builder import INT32, GraphBuilder
from vision.arithmetic import Arithmetic

AXES = "thw"


@dataclass(frozen=True)
class Patches:
    """int64 [patches] each; `heights` and `widths`: of the image that the patch is in, in patches."""

    rows: str
    columns: str
    heights: str
    widths: str


@dataclass(frozen=True)
class Frames:
    """Patches see those of their own frame. `count`: []; `starts`, `ends` [count]: the first patch, and behind the last."""

    count: str
    starts: str
    ends: str


@dataclass(frozen=True)
class Windows:
    """Squares of patches whose members see each other, all of one length once they are padded.

    `tokens` int64 [slots]: the token (square of merge × merge patches) in each slot, 0 where there is none;
    `slots` int64 [tokens]: the slot of each; `mask` int32 [windows, length]: 1 where there is a patch; `length`: patches of a window.
    """

    tokens: str
    slots: str
    mask: str
    length: int


class PatchGrid:
    def __init__(self, g: GraphBuilder, grid: str, merge: int):
        self.a = Arithmetic(g, "vision_grid")
        self.g = g
        self.merge = merge
        g.node("Split", [grid, g.ints(1, 1, 1)], [f"vision_grid_{axis}" for axis in AXES], axis=1)
        self.frames_of, self.heights, self.widths = (
            self.a.op("Squeeze", f"vision_grid_{axis}", g.ints(1)) for axis in AXES
        )
        self.frame_areas = self.a.times(self.heights, self.widths)
        self.areas = self.a.times(self.frame_areas, self.frames_of)
        self.ends = self.a.ends(self.areas)
        self.starts = self.a.subtract(self.ends, self.areas)

    def patches(self) -> Patches:
        a, merge = self.a, self.g.scalar(self.merge)
        places = a.range(a.total(self.areas))
        image = a.run_of(places, self.ends)
        heights, widths = a.pick(self.heights, image), a.pick(self.widths, image)
        within = a.modulo(a.subtract(places, a.pick(self.starts, image)), a.pick(self.frame_areas, image))
        # Backwards through (row of squares, column of squares, row in the square, column in the square).
        square, inner_column = a.divide(within, merge), a.modulo(within, merge)
        square, inner_row = a.divide(square, merge), a.modulo(square, merge)
        squares_across = a.divide(widths, merge)
        row = a.add(a.times(a.divide(square, squares_across), merge), inner_row)
        column = a.add(a.times(a.modulo(square, squares_across), merge), inner_column)
        return Patches(row, column, heights, widths)

    def frames(self) -> Frames:
        a = self.a
        count = a.total(self.frames_of)
        image = a.run_of(a.range(count), a.ends(self.frames_of))
        lengths = a.pick(self.frame_areas, image)
        ends = a.ends(lengths)
        return Frames(count, a.subtract(ends, lengths), ends)

    def windows(self, side: int) -> Windows:
        """`side`: of a window, in tokens. Windows begin at the upper left corner of each frame; the last may be smaller."""
        a, g = self.a, self.g
        unit = g.scalar(self.merge**2)
        rows, columns = (a.divide(length, g.scalar(self.merge)) for length in (self.heights, self.widths))
        down, across = a.divide_up(rows, side), a.divide_up(columns, side)
        in_frame = a.times(down, across)
        in_image = a.times(in_frame, self.frames_of)
        first = a.subtract(a.ends(in_image), in_image)

        count = a.divide(a.total(self.areas), unit)
        places = a.range(count)
        image = a.run_of(places, a.divide(self.ends, unit))
        within = a.subtract(places, a.divide(a.pick(self.starts, image), unit))
        area = a.divide(a.pick(self.frame_areas, image), unit)
        frame, within = a.divide(within, area), a.modulo(within, area)
        width, n = a.pick(columns, image), g.scalar(side)
        row, column = a.divide(within, width), a.modulo(within, width)

        window = a.add(a.pick(first, image), a.times(frame, a.pick(in_frame, image)))
        window = a.add(window, a.add(a.times(a.divide(row, n), a.pick(across, image)), a.divide(column, n)))
        inside = a.add(a.times(a.modulo(row, n), n), a.modulo(column, n))
        slots = a.add(a.times(window, g.scalar(side * side)), inside)
        return self._fill(slots, places, a.times(a.total(in_image), g.scalar(side * side)), side)

    def _fill(self, slots: str, places: str, slot_count: str, side: int) -> Windows:
        a, g = self.a, self.g
        length = side * side * self.merge**2
        empty = a.op("Expand", g.scalar(0), a.op("Unsqueeze", slot_count, g.ints(0)))
        tokens = a.op("ScatterElements", empty, slots, places, axis=0)
        ones = a.op("Expand", g.scalar(1), a.op("Shape", places))
        taken = a.op("Cast", a.op("ScatterElements", empty, slots, ones, axis=0), to=INT32)
        each = a.op("Expand", a.op("Unsqueeze", taken, g.ints(1)), g.ints(1, self.merge**2))
        return Windows(tokens, slots, a.op("Reshape", each, g.ints(-1, length)), length)
