"""In which numbers a graph computes, and how its matrices are stored.

fp32   everything in float32
fp16   matrices, products and the cache in float16; what is added up from layer to layer in a decoder, its norms, and inputs_embeds,
       pixels, features and logits in float32
q8     as published under `_quantized`: weights int8 with a scale for each output, activations quantized while it runs
q4     weights in 4 bits with a scale for each 32 inputs (MatMulNBits), activations float32
"""

from dataclasses import dataclass

import numpy as np

BLOCK = 32
ROWS = 1024
# Of 8-bit weights that are multiplied. Published files keep to 7 bits (`reduce_range`): on x64 without VNNI onnxruntime adds two products in
# 16 bits, where more would saturate.
PRODUCT_LEVELS = 63
# Of 8-bit weights that are only looked up.
TABLE_LEVELS = 127


@dataclass(frozen=True)
class Precision:
    """`suffix`: of the files' names."""

    name: str
    suffix: str

    @property
    def half(self) -> bool:
        return self.name == "fp16"


PRECISIONS = {
    "fp32": Precision("fp32", ""),
    "fp16": Precision("fp16", "_fp16"),
    "q8": Precision("q8", "_quantized"),
    "q4": Precision("q4", "_q4"),
}


def four_bit(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[rows, columns] as MatMulNBits reads it: bytes [rows, blocks, 16] and scales [rows · blocks].

    Symmetric about level 8: the entry of largest size in a block takes level 0 (−8 · scale).
    """
    # A few rows at a time: an output layer is large, and so are the copies of it.
    parts = [_four_bit(weight[start : start + ROWS]) for start in range(0, len(weight), ROWS)]
    packed, scales = zip(*parts)
    return np.concatenate(packed), np.concatenate(scales)


def _four_bit(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = weight.shape
    blocks = -(-columns // BLOCK)
    grouped = np.pad(weight, ((0, 0), (0, blocks * BLOCK - columns))).reshape(rows, blocks, BLOCK)
    largest = np.take_along_axis(grouped, np.abs(grouped).argmax(-1)[..., None], -1)
    scales = (largest / -8).astype(np.float32)
    inverse = np.divide(1, scales, out=np.zeros_like(scales), where=scales != 0)
    levels = np.clip(np.rint(grouped * inverse) + 8, 0, 15).astype(np.uint8)
    return levels[..., 0::2] | (levels[..., 1::2] << 4), scales.reshape(-1)


def eight_bit(weight: np.ndarray, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """[rows, columns] as int8 from −levels to levels and a scale for each row [rows]; symmetric, so that the zero point is 0."""
    scales = (np.abs(weight).max(-1) / levels).astype(np.float32)
    inverse = np.divide(1, scales, out=np.zeros_like(scales), where=scales != 0)
    return np.clip(np.rint(weight * inverse[:, None]), -levels, levels).astype(np.int8), scales
