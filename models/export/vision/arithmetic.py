"""Numbers and index tables that a graph computes from its inputs, node after node, without a name for each."""

from typing import Any

import numpy as np
from onnx import TensorProto

from builder import BOOL, FLOAT, INT32, INT64, GraphBuilder

DOUBLE = TensorProto.DOUBLE


class Arithmetic:
    """The names of what is computed begin with `prefix`, and are numbered."""

    def __init__(self, g: GraphBuilder, prefix: str):
        self.g = g
        self.prefix = prefix
        self._count = 0

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        self._count += 1
        return self.g.node(kind, list(inputs), f"{self.prefix}_{self._count}", **attributes)

    # Types.

    def double(self, x: str) -> str:
        return self.op("Cast", x, to=DOUBLE)

    def float32(self, x: str) -> str:
        return self.op("Cast", x, to=FLOAT)

    def real(self, x: str) -> str:
        """As the graph's floating-point type."""
        return self.op("Cast", x, to=self.g.real)

    def int64(self, x: str) -> str:
        return self.op("Cast", x, to=INT64)

    def int32(self, x: str) -> str:
        return self.op("Cast", x, to=INT32)

    def truth(self, x: str) -> str:
        return self.op("Cast", x, to=BOOL)

    # Constants.

    def double_number(self, value: float) -> str:
        return self.g.constant(f"double_{value!r}", np.array(value, np.float64))

    def float_number(self, value: float) -> str:
        return self.g.constant(f"float32_{value!r}", np.array(value, np.float32))

    # Integers, int64 of any shape; Div and Mod of positive ones are Python's // and %.

    def add(self, x: str, y: str) -> str:
        return self.op("Add", x, y)

    def subtract(self, x: str, y: str) -> str:
        return self.op("Sub", x, y)

    def times(self, x: str, y: str) -> str:
        return self.op("Mul", x, y)

    def divide(self, x: str, y: str) -> str:
        return self.op("Div", x, y)

    def modulo(self, x: str, y: str) -> str:
        return self.op("Mod", x, y)

    def divide_up(self, x: str, by: int) -> str:
        return self.divide(self.add(x, self.g.scalar(by - 1)), self.g.scalar(by))

    def floor_divide(self, x: str, by: str) -> str:
        """Python's x // by of two positive float64, which is exact where a rounded quotient may be 1 too much."""
        rest = self.op("Mod", x, by, fmod=1)
        return self.int64(self.op("Round", self.op("Div", self.op("Sub", x, rest), by)))

    def whole(self, x: str) -> str:
        """Python's int() of a positive number."""
        return self.int64(self.op("Floor", x))

    # Lists.

    def range(self, count: str) -> str:
        """0 … count − 1, int64 [count]. `count`: []"""
        return self.op("Range", self.g.scalar(0), count, self.g.scalar(1))

    def element(self, x: str, index: int) -> str:
        """x[index], of one axis less."""
        return self.op("Gather", x, self.g.scalar(index), axis=0)

    def pick(self, x: str, indices: str) -> str:
        """x[indices]"""
        return self.op("Gather", x, indices, axis=0)

    def total(self, x: str) -> str:
        """The sum of [n], []"""
        return self.op("ReduceSum", x, self.g.ints(0), keepdims=0)

    def ends(self, lengths: str) -> str:
        """Where runs of these lengths end that lie one behind the other: [n]"""
        return self.op("CumSum", lengths, self.g.scalar(0))

    def run_of(self, places: str, ends: str) -> str:
        """Which run each of `places` [m] is in, int64 [m]: how many end before it."""
        passed = self.op("LessOrEqual", ends, self.op("Unsqueeze", places, self.g.ints(1)))
        return self.op("ReduceSum", self.int64(passed), self.g.ints(1), keepdims=0)
