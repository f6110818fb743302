"""A transformers checkpoint folder: its JSON files, and its weights read one at a time.

The weights are read from the safetensors files here, not by the safetensors package: numpy has no bfloat16, which most
checkpoints are stored in, and a memory map costs no more than the tensor that is asked for. The format is fixed: eight
bytes with the header's length, little endian, a JSON header, the tensors' bytes.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

# How a tensor lies in the file. bfloat16 is the upper half of a float32.
STORED = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16}


class CheckpointError(Exception):
    """Says what of a checkpoint cannot be exported, and what to do."""


class Checkpoint:
    """`config` is config.json as it is."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self.config: dict[str, Any] = self.json("config.json")
        self._places: dict[str, tuple[Path, dict, int]] = {}
        for path in self._weight_files():
            header, start = read_header(path)
            for name, entry in header.items():
                self._places[name] = (path, entry, start)

    def json(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        if not path.is_file():
            raise CheckpointError(f"{path} is missing: give the folder of a transformers checkpoint")
        return json.loads(path.read_text(encoding="utf-8"))

    def json_or_empty(self, name: str) -> dict[str, Any]:
        return self.json(name) if (self.folder / name).is_file() else {}

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def names(self) -> list[str]:
        return list(self._places)

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._place(name)[1]["shape"])

    def read(self, name: str, index: int | None = None) -> np.ndarray:
        """The weight as float32, whatever it is stored in. `index`: only this part along the first axis."""
        path, entry, start = self._place(name)
        stored = STORED.get(entry["dtype"])
        if stored is None:
            raise CheckpointError(
                f"{name} is stored as {entry['dtype']}: only {', '.join(STORED)} can be exported; "
                "save the checkpoint again in bfloat16"
            )
        shape = tuple(entry["shape"])
        begin, end = entry["data_offsets"]
        if index is not None:
            size = (end - begin) // shape[0]
            begin, end, shape = begin + index * size, begin + (index + 1) * size, shape[1:]
        raw = np.fromfile(path, dtype=np.dtype(stored).newbyteorder("<"), offset=start + begin,
                          count=(end - begin) // np.dtype(stored).itemsize)  # fmt: skip
        if entry["dtype"] == "BF16":
            raw = raw.astype(np.uint32)
            raw <<= 16
            raw = raw.view(np.float32)
        return raw.astype(np.float32, copy=False).reshape(shape)

    def part(self, *prefixes: str) -> str:
        """The first of these prefixes that weights have: releases of transformers name the same part differently."""
        for prefix in prefixes:
            if any(name.startswith(f"{prefix}.") for name in self._places):
                return prefix
        raise CheckpointError(f"No weight begins with any of {', '.join(prefixes)}: this is another architecture")

    def first(self, *names: str) -> str:
        """The first of these names that is a weight."""
        for name in names:
            if name in self._places:
                return name
        raise CheckpointError(f"None of the weights {', '.join(names)} is in the checkpoint")

    def _place(self, name: str) -> tuple[Path, dict, int]:
        if name not in self._places:
            raise CheckpointError(f"The weight {name} is missing from {self.folder}")
        return self._places[name]

    def _weight_files(self) -> list[Path]:
        index = self.folder / "model.safetensors.index.json"
        if index.is_file():
            files = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        else:
            files = ["model.safetensors"]
        paths = [self.folder / file for file in files]
        for path in paths:
            if not path.is_file():
                raise CheckpointError(f"{path} is missing: only checkpoints in safetensors can be exported")
        return paths


def read_header(path: Path) -> tuple[dict[str, dict], int]:
    """The tensors that a safetensors file lists, and where their bytes begin."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > path.stat().st_size - 8:
            raise CheckpointError(f"{path} is cut off or no safetensors file")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return header, 8 + length
