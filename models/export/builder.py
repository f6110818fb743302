"""Builds one ONNX graph node by node, and writes it with its weights.

Weights are only named while the graph is built; `save` reads them from the checkpoint one after the other, and writes
those of a large model beside the graph (`NAME.onnx_data`), so that a model never has to fit into memory.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from checkpoint import Checkpoint
from precision import BLOCK, PRODUCT_LEVELS, Precision, eight_bit, four_bit

FLOAT, FLOAT16, INT64, INT32, BOOL = (
    TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL,
)  # fmt: skip
MICROSOFT = "com.microsoft"
OPSET = 17
# A protobuf ends at 2 GiB, and is copied while it is written; what is larger than this goes beside the graph.
INLINE_LIMIT = 1 << 29
# Smaller tensors never do.
EXTERNAL_FROM = 1 << 10
# Pages, so that a memory map can begin at every tensor.
ALIGNMENT = 4096


class GraphBuilder:
    """Every method that adds nodes takes the name `out` of what it makes, and returns it; names are unique in a graph.

    `real` is the type of floating-point values inside: FLOAT, or FLOAT16 in half precision.
    """

    def __init__(self, checkpoint: Checkpoint, precision: Precision, name: str):
        self.checkpoint = checkpoint
        self.precision = precision
        self.name = name
        self.real = FLOAT16 if precision.half else FLOAT
        self.dtype = np.float16 if precision.half else np.float32
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self._stored: dict[str, Callable[[], Sequence[np.ndarray]]] = {}
        self._quantized: dict[str, tuple[str, str, str]] = {}

    # Values that are known while the graph is built.

    def constant(self, name: str, array: np.ndarray) -> str:
        """`array` in the type that it has."""
        return self.deferred([name], lambda: [array])[0]

    def floats(self, name: str, array: Any) -> str:
        """`array` in the graph's floating-point type."""
        return self.constant(name, np.asarray(array, np.float32).astype(self.dtype))

    def float_scalar(self, value: float) -> str:
        return self.floats(f"float_{value!r}", value)

    def ints(self, *values: int) -> str:
        """int64 [n]"""
        return self.constant("ints_" + "_".join(map(str, values)), np.array(values, np.int64))

    def scalar(self, value: int) -> str:
        """int64 []"""
        return self.constant(f"scalar_{value}", np.array(value, np.int64))

    def weight(self, name: str, change: Callable[[np.ndarray], np.ndarray] | None = None, full: bool = False) -> str:
        """A weight of the checkpoint in the graph's floating-point type, or in float32 (`full`).

        `change`: applied to it, in float32.
        """
        def read() -> list[np.ndarray]:
            weight = self.checkpoint.read(name)
            return [(weight if change is None else change(weight)).astype(np.float32 if full else self.dtype)]

        return self.deferred([name], read)[0]

    def deferred(self, names: list[str], read: Callable[[], Sequence[np.ndarray]]) -> list[str]:
        """Constants that `read` gives when the graph is saved. A second call with the same names changes nothing."""
        self._stored.setdefault("\n".join(names), read)
        return names

    # Nodes.

    def node(self, op: str, inputs: list[str], outputs: str | list[str], domain: str = "", **attributes: Any) -> str:
        outputs = [outputs] if isinstance(outputs, str) else outputs
        name = f"/{outputs[0]}/{op}"
        self.nodes.append(helper.make_node(op, inputs, outputs, name=name, domain=domain, **attributes))
        return outputs[0]

    def linear(self, x: str, name: str, out: str) -> str:
        """`x` times the transposed weight `name`.weight, without its bias, in the precision's way."""
        weight = f"{name}.weight"
        return self.product(x, name, lambda: self.checkpoint.read(weight), self.checkpoint.shape(weight), out)

    def biased(self, x: str, name: str, out: str) -> str:
        """`linear`, plus `name`.bias where the checkpoint has one."""
        if f"{name}.bias" not in self.checkpoint:
            return self.linear(x, name, out)
        product = self.linear(x, name, f"{out}_product")
        return self.node("Add", [product, self.weight(f"{name}.bias")], out)

    def product(self, x: str, name: str, read: Callable[[], np.ndarray], shape: Sequence[int], out: str) -> str:
        """`x` [..., columns] times the transposed matrix that `read` gives, [rows, columns]; `name`: of its constants."""
        rows, columns = shape
        if self.precision.name == "q4":
            packed, scales = self.deferred([f"{name}.weight_q4", f"{name}.weight_scales"], lambda: four_bit(read()))
            return self.node(
                "MatMulNBits", [x, packed, scales], out, MICROSOFT,
                K=columns, N=rows, bits=4, block_size=BLOCK, accuracy_level=4,
            )  # fmt: skip
        if self.precision.name == "q8":
            return self._eight_bit_product(x, name, read, out)
        [transposed] = self.deferred([f"{name}.weight_t"], lambda: [read().T.astype(self.dtype)])
        return self.node("MatMul", [x, transposed], out)

    def _eight_bit_product(self, x: str, name: str, read: Callable[[], np.ndarray], out: str) -> str:
        def stored() -> list[np.ndarray]:
            levels, scales = eight_bit(read(), PRODUCT_LEVELS)
            return [levels.T, np.zeros(len(scales), np.int8), scales]

        names = [f"{name}.weight_q8", f"{name}.weight_zero", f"{name}.weight_scales"]
        levels, zero, scales = self.deferred(names, stored)
        if x not in self._quantized:
            self._quantized[x] = (f"{x}_q8", f"{x}_q8_scale", f"{x}_q8_zero")
            self.node("DynamicQuantizeLinear", [x], list(self._quantized[x]))
        quantized, x_scale, x_zero = self._quantized[x]
        product = self.node("MatMulInteger", [quantized, levels, x_zero, zero], f"{out}_int32")
        product = self.node("Cast", [product], f"{out}_cast", to=FLOAT)
        scale = self.node("Mul", [x_scale, scales], f"{out}_scale")
        return self.node("Mul", [product, scale], out)

    def as_float(self, x: str) -> str:
        """`x`, of the graph's floating-point type, in float32."""
        return self.node("Cast", [x], f"{x}_float", to=FLOAT) if self.precision.half else x

    def as_real(self, x: str) -> str:
        """`x`, float32, in the graph's floating-point type."""
        return self.node("Cast", [x], f"{x}_half", to=FLOAT16) if self.precision.half else x

    # What goes in and comes out.

    def input(self, name: str, kind: int, shape: list) -> str:
        """Sizes are numbers or names."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name: str, kind: int, shape: list) -> str:
        """A value that nodes make under this very name."""
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def real_input(self, name: str, shape: list) -> str:
        """A float32 input; what is returned has the graph's floating-point type."""
        return self.as_real(self.input(name, FLOAT, shape))

    def real_output(self, x: str, name: str, shape: list) -> str:
        """`x`, of the graph's floating-point type, as the float32 output `name`."""
        self.node(*(("Cast", [x], name) if self.precision.half else ("Identity", [x], name)),
                  **({"to": FLOAT} if self.precision.half else {}))  # fmt: skip
        return self.output(name, FLOAT, shape)

    def absorb(self, other: "GraphBuilder", prefix: str, kept: dict[str, str]) -> list[onnx.NodeProto]:
        """Takes over the constants of another graph and returns its nodes.

        All names are prefixed, but for those in `kept`, which get new ones.
        """
        def renamed(name: str) -> str:
            return name and kept.get(name, prefix + name)

        for names, read in other._stored.items():
            self.deferred([renamed(name) for name in names.split("\n")], read)
        return [renamed_node(node, prefix, renamed) for node in other.nodes]

    def prune(self) -> None:
        """Drops nodes and constants that no output needs."""
        needed = {value.name for value in self.outputs}
        kept = []
        for node in reversed(self.nodes):
            if needed.intersection(node.output):
                kept.append(node)
                needed.update(names_used(node))
        self.nodes = kept[::-1]
        self._stored = {names: read for names, read in self._stored.items() if needed.intersection(names.split("\n"))}

    def save(self, path: Path) -> None:
        """Writes the graph to `path`, and its weights into `path` or, of a large model, beside it."""
        beside = path.with_name(f"{path.name}_data")
        beside.unlink(missing_ok=True)
        weights = _Weights(beside)
        for names, read in self._stored.items():
            for name, array in zip(names.split("\n"), read(), strict=True):
                weights.add(numpy_helper.from_array(np.asarray(array, order="C"), name))
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, weights.finish())
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="troupe")
        path.write_bytes(model.SerializeToString())


def names_used(node: onnx.NodeProto) -> list[str]:
    """Values that a node reads, those of graphs inside included."""
    inside = [name for attribute in node.attribute for one in attribute.g.node for name in names_used(one)]
    return [*node.input, *inside]


def renamed_node(node: onnx.NodeProto, prefix: str, renamed: Callable[[str], str]) -> onnx.NodeProto:
    """A copy with other names of its values, and of those of graphs inside."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.name = prefix + node.name
    for names in (copy.input, copy.output):
        changed = [renamed(name) for name in names]
        del names[:]
        names.extend(changed)
    for attribute in copy.attribute:
        if not attribute.HasField("g"):
            continue
        inside = [renamed_node(one, prefix, renamed) for one in attribute.g.node]
        del attribute.g.node[:]
        attribute.g.node.extend(inside)
        for value in (*attribute.g.input, *attribute.g.output, *attribute.g.initializer):
            value.name = renamed(value.name)
    return copy


class _Weights:
    """Tensors on their way to disk: kept until they are too many for one protobuf, then all written beside it."""

    def __init__(self, beside: Path):
        self._beside = beside
        self._tensors: list[onnx.TensorProto] = []
        self._held = 0
        self._file = None

    def add(self, tensor: onnx.TensorProto) -> None:
        self._tensors.append(tensor)
        self._held += len(tensor.raw_data)
        if self._file is not None:
            self._move(tensor)
        elif self._held > INLINE_LIMIT:
            self._file = self._beside.open("wb")
            for held in self._tensors:
                self._move(held)

    def finish(self) -> list[onnx.TensorProto]:
        if self._file is not None:
            self._file.close()
        return self._tensors

    def _move(self, tensor: onnx.TensorProto) -> None:
        data = tensor.raw_data
        if len(data) < EXTERNAL_FROM:
            return
        self._file.write(b"\0" * (-self._file.tell() % ALIGNMENT))
        place = {"location": self._beside.name, "offset": self._file.tell(), "length": len(data)}
        self._file.write(data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
