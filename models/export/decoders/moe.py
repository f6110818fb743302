"""Llama 4's mixture of experts: each token goes through its likeliest experts and through one that all share."""

import numpy as np

from builder import GraphBuilder
from checkpoint import Checkpoint
from decoders.blocks import activate, gated_mlp
from decoders.text_config import TextConfig


def mixture(g: GraphBuilder, x: str, root: str, config: TextConfig, out: str) -> str:
    """x [B, S, H] → float32 [B, S, H]: onnxruntime adds no halves in ScatterND on a CPU.

    The sigmoid of a token's router score scales what goes *into* the expert. Each expert runs over the tokens that chose it, and
    over none at little cost.
    """
    count, chosen = config.values["num_local_experts"], config.values["num_experts_per_tok"]
    flat = g.node("Reshape", [x, g.ints(-1, config.hidden)], f"{out}_tokens")
    # The router decides, so its matrix is not quantized.
    router = g.weight(f"{root}.router.weight", np.transpose)
    scores = g.node("MatMul", [flat, router], f"{out}_router")
    g.node("TopK", [scores, g.ints(chosen)], [f"{out}_top", f"{out}_top_experts"], axis=-1)
    sigmoid = g.node("Sigmoid", [f"{out}_top"], f"{out}_top_sigmoid")
    total = g.as_float(gated_mlp(g, flat, f"{root}.shared_expert", config.activation, f"{out}_shared"))
    for expert in range(count):
        at = f"{out}_e{expert}"
        here = g.node("Equal", [f"{out}_top_experts", g.scalar(expert)], f"{at}_here")
        # Places in [tokens, chosen]: which token, and which of its choices.
        places = g.node("Transpose", [g.node("NonZero", [here], f"{at}_places_by_axis")], f"{at}_places", perm=[1, 0])
        tokens = g.node("Slice", [places, g.ints(0), g.ints(1), g.ints(1)], f"{at}_token_places")
        share = g.node("Unsqueeze", [g.node("GatherND", [sigmoid, places], f"{at}_share"), g.ints(1)], f"{at}_shares")
        inputs = g.node("Mul", [g.node("GatherND", [flat, tokens], f"{at}_tokens"), share], f"{at}_in")
        result = g.as_float(_expert(g, inputs, f"{root}.experts", expert, config, at))
        total = g.node("ScatterND", [total, tokens, result], f"{at}_total", reduction="add")
    return g.node("Reshape", [total, g.node("Shape", [x], f"{out}_shape")], out)


def _expert(g: GraphBuilder, x: str, root: str, expert: int, config: TextConfig, out: str) -> str:
    """Stored for all experts at once: gate_up_proj [experts, H, 2 · inner], down_proj [experts, inner, H]."""
    checkpoint: Checkpoint = g.checkpoint
    inner = checkpoint.shape(f"{root}.down_proj")[1]

    def part(name: str, begin: int, end: int):
        return lambda: checkpoint.read(f"{root}.{name}", expert)[:, begin:end].T

    gate = g.product(x, f"{root}.{expert}.gate", part("gate_up_proj", 0, inner), (inner, config.hidden), f"{out}_gate")
    up = g.product(x, f"{root}.{expert}.up", part("gate_up_proj", inner, 2 * inner), (inner, config.hidden), f"{out}_up")
    product = g.node("Mul", [activate(g, gate, config.activation, f"{out}_active"), up], f"{out}_inner")
    down = part("down_proj", 0, config.hidden)
    return g.product(product, f"{root}.{expert}.down", down, (config.hidden, inner), f"{out}_out")
