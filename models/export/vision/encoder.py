"""The encoder of CLIP, SigLIP and Idefics3: layers of full attention and a two-layer perceptron, normalized before each."""

import math
from dataclasses import dataclass

from builder import GraphBuilder
from checkpoint import Checkpoint, CheckpointError
from vision.common import attend, layer_norm, mlp, vision_config

CLIP = {"num_hidden_layers": 12, "num_attention_heads": 12, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5}
SIGLIP = {"num_hidden_layers": 12, "num_attention_heads": 12, "hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6}
IDEFICS3 = {**SIGLIP, "num_attention_heads": 16}


@dataclass(frozen=True)
class Tower:
    """What the weights and config.json say. `side`: patches along a side of the image that the position table is for."""

    root: str
    layers: int
    heads: int
    activation: str
    eps: float
    width: int
    patch: int
    side: int

    @property
    def image_size(self) -> int:
        return self.side * self.patch


def read_tower(checkpoint: Checkpoint, root: str, defaults: dict, class_tokens: int) -> Tower:
    """`root`: the part of the names before `.embeddings`. `class_tokens`: rows of the position table that are no patch."""
    config = vision_config(checkpoint, **defaults)
    width, _, patch, _ = checkpoint.shape(f"{root}.embeddings.patch_embedding.weight")
    positions = checkpoint.shape(f"{root}.embeddings.position_embedding.weight")[0] - class_tokens
    side = math.isqrt(positions)
    if side * side != positions:
        raise CheckpointError(f"{root}: {positions} positions are no square: only square images can be exported")
    return Tower(
        root, config["num_hidden_layers"], config["num_attention_heads"], config["hidden_act"], config["layer_norm_eps"],
        width, patch, side,
    )  # fmt: skip


def tower_root(checkpoint: Checkpoint, name: str) -> str:
    """Where the tower's weights are: releases of transformers put `model.` before and `.vision_model` behind, or not."""
    return checkpoint.part(f"{name}.vision_model", f"model.{name}.vision_model", f"model.{name}", name)


def encode(g: GraphBuilder, x: str, tower: Tower, layers: int, mask: str | None = None) -> list[str]:
    """The hidden states before the first layer and behind each of the first `layers`, [n, tokens, width].

    `mask`: int32 [n, tokens], 0 = not to be looked at.
    """
    states = [x]
    for i in range(layers):
        layer, at = f"{tower.root}.encoder.layers.{i}", f"vision_{i}"
        normed = layer_norm(g, x, f"{layer}.layer_norm1", tower.eps, f"{at}_norm1")
        qkv = [g.biased(normed, f"{layer}.self_attn.{part}_proj", f"{at}_{part}") for part in "qkv"]
        attended = attend(g, *qkv, tower.heads, f"{at}_attended", mask)
        x = g.node("Add", [x, g.biased(attended, f"{layer}.self_attn.out_proj", f"{at}_attention")], f"{at}_middle")
        normed = layer_norm(g, x, f"{layer}.layer_norm2", tower.eps, f"{at}_norm2")
        perceptron = mlp(g, normed, f"{layer}.mlp.fc1", f"{layer}.mlp.fc2", tower.activation, f"{at}_mlp")
        x = g.node("Add", [x, perceptron], f"{at}_out")
        states.append(x)
    return states
