"""Rotary position embedding by `position_ids`, with its tables made in the graph.

The tables hold one row for each new token, not one for each position there may be, so that they need no greatest length and
serve positions of three axes (Qwen): row b · S + s is the angle of token s of row b, and the operator is told to take rows
0, 1, 2 …
"""

import math
from dataclasses import dataclass

import numpy as np

from builder import FLOAT, FLOAT16, MICROSOFT, GraphBuilder
from checkpoint import CheckpointError
from decoders.text_config import TextConfig


@dataclass(frozen=True)
class Rotary:
    """Names of values in the graph: tables [B · S, headDim / 2], and rows of them [B, S]."""

    cos: str
    sin: str
    rows: str
    interleaved: bool

    def rotate(self, g: GraphBuilder, x: str, out: str) -> str:
        """x [B, S, heads · headDim]"""
        inputs = [x, self.rows, self.cos, self.sin]
        return g.node("RotaryEmbedding", inputs, out, MICROSOFT, interleaved=int(self.interleaved))


def rope_settings(config: TextConfig, layer_type: str = "full_attention") -> dict:
    """`rope_type`, `rope_theta` and what belongs to the type, from any of the ways that releases write them."""
    new = config.get("rope_parameters")
    if new is not None:
        if layer_type in new:
            new = new[layer_type]
        theta = new.get("rope_theta", config.values["rope_theta"])
        return {**new, "rope_type": new.get("rope_type", new.get("type", "default")), "rope_theta": theta}
    if layer_type == "sliding_attention" and "rope_local_base_freq" in config.values:
        return {"rope_type": "default", "rope_theta": config.values["rope_local_base_freq"]}
    old = config.get("rope_scaling", {})
    kind = old.get("rope_type", old.get("type", "default"))
    return {**old, "rope_type": "default" if kind == "mrope" else kind, "rope_theta": config.values["rope_theta"]}


def inverse_frequencies(settings: dict, head_dim: int) -> np.ndarray:
    """float32 [headDim / 2]. @raise CheckpointError: of a kind that is not written out here"""
    # Rounded where PyTorch rounds; the power in float64, since libraries differ in that of float32.
    exponents = np.arange(0, head_dim, 2, dtype=np.float32) / np.float32(head_dim)
    powers = np.float64(settings["rope_theta"]) ** exponents.astype(np.float64)
    base = np.float32(1) / powers.astype(np.float32)
    kind = settings["rope_type"]
    if kind == "default":
        return base
    if kind == "linear":
        return (base / np.float32(settings["factor"])).astype(np.float32)
    if kind == "llama3":
        return _llama3(base, settings)
    if kind == "yarn":
        return _yarn(base, settings, head_dim)
    raise CheckpointError(f'config.json: rope_type "{kind}" is not exported; known are default, linear, llama3, yarn')


def _llama3(base: np.ndarray, settings: dict) -> np.ndarray:
    """Long wavelengths are slowed down, short ones kept, those between mixed (Llama 3.1)."""
    factor, old = settings["factor"], settings["original_max_position_embeddings"]
    low, high = settings["low_freq_factor"], settings["high_freq_factor"]
    wavelength = 2 * math.pi / base
    # Llama 4 has both borders in one place, and nothing between them.
    smooth = (old / wavelength - low) / (high - low) if high != low else np.ones_like(base)
    mixed = (1 - smooth) * base / factor + smooth * base
    slowed = np.where(wavelength > old / low, base / factor, base)
    between = (wavelength <= old / low) & (wavelength >= old / high)
    return np.where(between, mixed, slowed).astype(np.float32)


def _yarn(base: np.ndarray, settings: dict, head_dim: int) -> np.ndarray:
    """Frequencies that turn often within the old context are kept, those that hardly turn slowed down (Peng et al. 2023)."""
    for field in ("original_max_position_embeddings", "rope_theta", "factor"):
        if settings.get(field) is None:
            raise CheckpointError(f'config.json: rope_type "yarn" needs {field}')
    old, theta = settings["original_max_position_embeddings"], settings["rope_theta"]

    def place(turns: float) -> float:
        """Where among the frequencies there is one that turns so often."""
        return head_dim * math.log(old / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low, high = place(settings.get("beta_fast") or 32), place(settings.get("beta_slow") or 1)
    if settings.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, head_dim - 1)
    width = high - low or 0.001
    slowed = np.clip((np.arange(head_dim // 2, dtype=np.float32) - np.float32(low)) / np.float32(width), 0, 1)
    return (base / np.float32(settings["factor"]) * slowed + base * (1 - slowed)).astype(np.float32)


def table_factor(settings: dict) -> float:
    """What cosines and sines are multiplied by: YaRN makes attention sharper the longer the context became."""
    if settings["rope_type"] != "yarn":
        return 1.0
    if settings.get("attention_factor") is not None:
        return settings["attention_factor"]

    def scale(by: float) -> float:
        return 0.1 * by * math.log(settings["factor"]) + 1.0 if settings["factor"] > 1 else 1.0

    one, all_dims = settings.get("mscale"), settings.get("mscale_all_dim")
    return scale(one) / scale(all_dims) if one and all_dims else scale(1)


def axis_of_each(settings: dict, half: int) -> np.ndarray | None:
    """Which of the three rows of `position_ids` each frequency goes by; None where there is one row."""
    sections = settings.get("mrope_section")
    if sections is None:
        return None
    if not settings.get("mrope_interleaved", False):
        return np.repeat(np.arange(3), sections)
    axes = np.zeros(half, np.int64)
    for axis in (1, 2):
        axes[axis : sections[axis] * 3 : 3] = axis
    return axes


def add_rotary(g: GraphBuilder, positions: str, settings: dict, head_dim: int, out: str, interleaved: bool = False) -> Rotary:
    """`positions`: int64 [B, S], or [3, B, S] where the settings have `mrope_section`."""
    frequencies = inverse_frequencies(settings, head_dim)
    axes = axis_of_each(settings, head_dim // 2)
    floats = g.node("Cast", [positions], f"{out}_positions", to=FLOAT)
    if axes is None:
        each = g.node("Unsqueeze", [floats, g.ints(2)], f"{out}_each")
    else:
        picked = g.node("Gather", [floats, g.constant(f"{out}_axes", axes.astype(np.int64))], f"{out}_picked", axis=0)
        each = g.node("Transpose", [picked], f"{out}_each", perm=[1, 2, 0])
    angles = g.node("Mul", [each, g.constant(f"{out}_frequencies", frequencies)], f"{out}_angles")
    flat = g.node("Reshape", [angles, g.ints(-1, head_dim // 2)], f"{out}_flat")
    tables, factor = [], table_factor(settings)
    for op in ("Cos", "Sin"):
        name = f"{out}_{op.lower()}"
        last = f"{name}32" if g.precision.half else name
        if factor == 1:
            table = g.node(op, [flat], last)
        else:
            table = g.node("Mul", [g.node(op, [flat], f"{name}_plain"), g.constant(f"{out}_factor", np.array(factor, np.float32))], last)
        tables.append(g.node("Cast", [table], name, to=FLOAT16) if g.precision.half else table)
    # 0, 1, 2 … in the shape [B, S].
    shape = g.node("Slice", [g.node("Shape", [angles], f"{out}_shape"), g.ints(0), g.ints(2)], f"{out}_rows_shape")
    count = g.node("ReduceProd", [shape], f"{out}_count", axes=[0], keepdims=0)
    numbers = g.node("Range", [g.scalar(0), count, g.scalar(1)], f"{out}_numbers")
    return Rotary(*tables, g.node("Reshape", [numbers, shape], f"{out}_rows"), interleaved)
