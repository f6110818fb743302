"""The embedding table: `embed_tokens`."""

import numpy as np

from builder import FLOAT, INT64, GraphBuilder
from checkpoint import Checkpoint
from decoders.text_config import read_text_config
from precision import TABLE_LEVELS, Precision, eight_bit


def build(checkpoint: Checkpoint, precision: Precision) -> GraphBuilder:
    """input_ids int64 [B, S] → inputs_embeds float32 [B, S, H]; Gemma's √H is inside."""
    g = GraphBuilder(checkpoint, precision, "embed_tokens")
    config = read_text_config(checkpoint)
    g.input("input_ids", INT64, ["batch_size", "sequence_length"])
    rows = _embedding(g, f"{config.root}.embed_tokens.weight")
    if config.type.startswith("gemma"):
        rows = g.node("Mul", [rows, g.constant("scale", np.array(config.hidden**0.5, np.float32))], "scaled")
    g.node("Identity", [rows], "inputs_embeds")
    g.output("inputs_embeds", FLOAT, ["batch_size", "sequence_length", config.hidden])
    return g


def _embedding(g: GraphBuilder, weight: str) -> str:
    """Rows of the table in float32; stored in 8 bits with a scale for each row in the precision q8."""
    if g.precision.name == "q8":
        table, scales = g.deferred(
            [f"{weight}_q8", f"{weight}_scales"], lambda: _eight_bit_table(g.checkpoint.read(weight))
        )
        levels = g.node("Cast", [g.node("Gather", [table, "input_ids"], "levels", axis=0)], "levels_float", to=FLOAT)
        return g.node("Mul", [levels, g.node("Gather", [scales, "input_ids"], "row_scales", axis=0)], "rows")
    rows = g.node("Gather", [g.weight(weight), "input_ids"], "rows", axis=0)
    return g.node("Cast", [rows], "rows_float", to=FLOAT) if g.precision.half else rows


def _eight_bit_table(table: np.ndarray) -> list[np.ndarray]:
    levels, scales = eight_bit(table, TABLE_LEVELS)
    return [levels, scales[:, None]]
