"""Llama 4: a tower with a class token behind the patches and rotary positions of two axes, a pixel shuffle with its adapter, and a
linear projector (transformers models/llama4).

    pixel_values [tiles, 3, size, size] → image_features [tiles · tokens, hidden]
"""

import numpy as np

from builder import GraphBuilder
from checkpoint import Checkpoint, CheckpointError
from decoders.rotary import Rotary
from precision import Precision
from vision.common import activate, attend, layer_norm, mlp, patch_embedding, pixel_shuffle, vision_config
from vision.llava import FEATURES, PIXELS

# The class's norms take no eps from the configuration.
EPS = 1e-5


def build(checkpoint: Checkpoint, precision: Precision) -> GraphBuilder:
    g = GraphBuilder(checkpoint, precision, "vision_encoder")
    config = vision_config(checkpoint, image_size=448, patch_size=14, num_hidden_layers=34, num_attention_heads=16,
                           pixel_shuffle_ratio=0.5)  # fmt: skip
    root = checkpoint.part("vision_model", "model.vision_model")
    size, side, heads = config["image_size"], config["image_size"] // config["patch_size"], config["num_attention_heads"]
    x = embed(g, g.real_input(PIXELS, ["num_tiles", 3, size, size]), root)
    rotary = rotary_tables(g, side, checkpoint.shape(f"{root}.class_embedding")[0] // heads, config)
    for i in range(config["num_hidden_layers"]):
        x = layer(g, x, f"{root}.model.layers.{i}", f"vision_{i}", rotary, heads)
    x = layer_norm(g, x, f"{root}.layernorm_post", EPS, "vision_normed")
    x = g.node("Slice", [x, g.ints(0), g.ints(-1), g.ints(1)], "vision_patch_states")
    x = adapt(g, x, f"{root}.vision_adapter.mlp", side, config["pixel_shuffle_ratio"])
    hidden = checkpoint.shape(f"{projector(checkpoint)}.weight")[0]
    rows = g.node("Reshape", [g.biased(x, projector(checkpoint), "vision_projected"), g.ints(-1, hidden)], "vision_rows")
    g.real_output(rows, FEATURES, ["num_tokens", hidden])
    return g


def projector(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.part('multi_modal_projector', 'model.multi_modal_projector')}.linear_1"


def embed(g: GraphBuilder, pixels: str, root: str) -> str:
    """[n, patches + 1, width]: the class token comes last. An unfolding and a matrix, as the class has it, are a convolution."""
    x = patch_embedding(g, pixels, f"{root}.patch_embedding.linear.weight", None, "vision_patches")
    width = g.checkpoint.shape(f"{root}.class_embedding")[0]
    count = g.node("Slice", [g.node("Shape", [pixels], "vision_pixels_shape"), g.ints(0), g.ints(1)], "vision_tiles")
    one = g.node("Concat", [count, g.ints(1, width)], "vision_class_shape", axis=0)
    token = g.node("Expand", [g.weight(f"{root}.class_embedding"), one], "vision_class")
    x = g.node("Concat", [x, token], "vision_tokens", axis=1)
    x = g.node("Add", [x, g.weight(f"{root}.positional_embedding_vlm")], "vision_embedded")
    return layer_norm(g, x, f"{root}.layernorm_pre", EPS, "vision_first")


def rotary_tables(g: GraphBuilder, side: int, head_size: int, config: dict) -> Rotary:
    """Pairs of neighbours turn: the first half of them by the column, the others by the row, counted from 1; the class token not."""
    theta = (config.get("rope_parameters") or {}).get("rope_theta", config.get("rope_theta", 10000.0))
    half = head_size // 2
    exponents = np.arange(0, half, 2, dtype=np.float32)[: half // 2] / np.float32(half)
    frequencies = (1.0 / np.float32(theta) ** exponents).astype(np.float32)
    rows, columns = (axis.reshape(-1, 1).astype(np.float32) for axis in np.indices((side, side)))
    angles = np.concatenate([(columns + 1) * frequencies, (rows + 1) * frequencies], axis=1)
    angles = np.concatenate([angles, np.zeros_like(angles[:1])])
    cos, sin = g.floats("vision_cos", np.cos(angles)), g.floats("vision_sin", np.sin(angles))
    return Rotary(cos, sin, g.ints(0), interleaved=True)


def layer(g: GraphBuilder, x: str, name: str, at: str, rotary: Rotary, heads: int) -> str:
    normed = layer_norm(g, x, f"{name}.input_layernorm", EPS, f"{at}_norm1")
    q, k, v = (g.biased(normed, f"{name}.self_attn.{part}_proj", f"{at}_{part}") for part in "qkv")
    q, k = rotary.rotate(g, q, f"{at}_q_rotated"), rotary.rotate(g, k, f"{at}_k_rotated")
    attended = g.biased(attend(g, q, k, v, heads, f"{at}_attended"), f"{name}.self_attn.o_proj", f"{at}_attention")
    x = g.node("Add", [x, attended], f"{at}_middle")
    normed = layer_norm(g, x, f"{name}.post_attention_layernorm", EPS, f"{at}_norm2")
    return g.node("Add", [x, mlp(g, normed, f"{name}.mlp.fc1", f"{name}.mlp.fc2", "gelu", f"{at}_mlp")], f"{at}_out")


def adapt(g: GraphBuilder, x: str, root: str, side: int, ratio: float) -> str:
    """Squares of patches become one token each, and go through a perceptron with an activation at its end too."""
    factor = round(1 / ratio)
    if factor * ratio != 1 or side % factor:
        raise CheckpointError(f"config.json: vision_config.pixel_shuffle_ratio {ratio} does not divide {side} patches a side evenly")
    width = g.checkpoint.shape(f"{root}.fc1.weight")[1] // factor**2
    x = pixel_shuffle(g, x, side // factor, side // factor, factor, width, "vision_shuffled")
    return activate(g, mlp(g, x, f"{root}.fc1", f"{root}.fc2", "gelu", "vision_adapter"), "gelu", "vision_adapted")
