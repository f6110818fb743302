"""Biases for `JoinedAttention`: who sees whom, by the order of tokens and by their true positions.

A row's past may have free places anywhere (`attention_mask` 0), so a token's position is never its column: it is the number of
tokens before it in its row. The P places of the past come first, the S new tokens last.
"""

import numpy as np

from builder import BOOL, GraphBuilder

# float32's lowest; in half precision float16's. A row that sees nothing (padding) becomes an even mean, never NaN.
LOWEST = {np.float32: float(np.finfo(np.float32).min), np.float16: float(np.finfo(np.float16).min)}


class Masks:
    """Adds what the biases share once. `new`: a value [B, S, …] of the new tokens."""

    def __init__(self, g: GraphBuilder, new: str):
        self.g = g
        mask = "attention_mask"
        total = self._size(mask, 1, "mask_width")
        self.count = self._size(new, 1, "new_tokens")
        self.past = g.node("Sub", [total, self.count], "past_places")
        self.used = g.node("Unsqueeze", [g.node("Cast", [mask], "mask_used", to=BOOL), g.ints(1)], "used")
        sums = g.node("CumSum", [mask, g.scalar(1)], "mask_sums")
        self.positions = g.node("Sub", [sums, g.scalar(1)], "true_positions")
        columns = g.node("Range", [g.scalar(0), total, g.scalar(1)], "columns")
        rows = g.node("Unsqueeze", [self._new(columns, 0, "new_columns"), g.ints(1)], "new_rows")
        later = g.node("Greater", [columns, rows], "later")
        self.causal = g.node("And", [self.used, g.node("Not", [later], "not_later")], "causal")

    def new_positions(self) -> str:
        """True positions of the new tokens, int64 [B, S]."""
        return self._new(self.positions, 1, "new_positions")

    def window(self, size: int, visible: str | None = None) -> str:
        """Of what is visible (default: what is before), that which does not lie `size` or more before. bool [B, S, P + S]"""
        g = self.g
        queries, keys = self._both("window")
        near = g.node("Less", [g.node("Sub", [queries, keys], "distance"), g.scalar(size)], "near")
        return g.node("And", [visible or self.causal, near], "causal_window")

    def chunk(self, size: int) -> str:
        """Causal, and in the same run of `size` positions. bool [B, S, P + S]"""
        g = self.g
        queries, keys = (g.node("Div", [x, g.scalar(size)], f"{x}_chunk") for x in self._both("chunk"))
        return g.node("And", [self.causal, g.node("Equal", [queries, keys], "same_chunk")], "causal_chunk")

    def same_group(self, groups: str) -> str:
        """Used tokens of the same group as a new token: `groups` int64 [B, S], 0 for none. bool [B, S, P + S]"""
        g = self.g
        # Zeros for the past, which is never of a group.
        zeros = g.node("Sub", [self.positions, self.positions], "no_groups")
        start, end = g.ints(0), g.node("Unsqueeze", [self.past, g.ints(0)], "past_end")
        past = g.node("Slice", [zeros, start, end, g.ints(1)], "past_groups")
        keys = g.node("Unsqueeze", [g.node("Concat", [past, groups], "all_groups", axis=1), g.ints(1)], "key_groups")
        queries = g.node("Unsqueeze", [groups, g.ints(2)], "query_groups")
        same = g.node("Equal", [queries, keys], "same_group")
        real = g.node("And", [same, g.node("Greater", [queries, g.scalar(0)], "in_group")], "same_real_group")
        return g.node("And", [real, self.used], "group_seen")

    def bias(self, visible: str, out: str) -> str:
        """[B, 1, S, P + S]"""
        g = self.g
        lowest = g.floats("lowest", LOWEST[g.dtype])
        values = g.node("Where", [visible, g.float_scalar(0.0), lowest], f"{out}_values")
        return g.node("Unsqueeze", [values, g.ints(1)], out)

    def _size(self, x: str, axis: int, out: str) -> str:
        return self.g.node("Gather", [self.g.node("Shape", [x], f"{out}_shape"), self.g.scalar(axis)], out, axis=0)

    def _new(self, x: str, axis: int, out: str) -> str:
        """The last S along an axis."""
        g = self.g
        start = g.node("Unsqueeze", [self.past, g.ints(0)], f"{out}_start")
        end = g.constant("end", np.array([np.iinfo(np.int64).max], np.int64))
        return g.node("Slice", [x, start, end, g.ints(axis)], out)

    def _both(self, out: str) -> tuple[str, str]:
        """Positions of queries [B, S, 1] and keys [B, 1, P + S]."""
        g = self.g
        queries = g.node("Unsqueeze", [self._new(self.positions, 1, f"{out}_new"), g.ints(2)], f"{out}_queries")
        return queries, g.node("Unsqueeze", [self.positions, g.ints(1)], f"{out}_keys")
