"""Gemma 3: SigLIP, squares of patches averaged into one token, a norm and a matrix (transformers models/gemma3).

    pixel_values [images, 3, size, size] → image_features [images, mm_tokens_per_image, hidden]
"""

import math

from builder import GraphBuilder
from checkpoint import Checkpoint, CheckpointError
from decoders.blocks import rms_norm
from precision import Precision
from vision.encoder import Tower, tower_root
from vision.llava import FEATURES, pixel_input
from vision.siglip import read_siglip, siglip_output


def build(checkpoint: Checkpoint, precision: Precision) -> GraphBuilder:
    g = GraphBuilder(checkpoint, precision, "vision_encoder")
    tower = read_siglip(checkpoint, tower_root(checkpoint, "vision_tower"))
    tokens = checkpoint.config.get("mm_tokens_per_image", 256)
    pooled = average(g, siglip_output(g, pixel_input(g, tower), tower), tower, tokens)

    root = checkpoint.part("multi_modal_projector", "model.multi_modal_projector")
    normed = rms_norm(g, pooled, f"{root}.mm_soft_emb_norm.weight", tower.eps, "vision_pooled_normed", plus_one=True)
    name = f"{root}.mm_input_projection_weight"
    width, hidden = checkpoint.shape(name)
    projected = g.product(normed, name, lambda: checkpoint.read(name).T, (hidden, width), "vision_projected")
    g.real_output(projected, FEATURES, ["num_images", tokens, hidden])
    return g


def average(g: GraphBuilder, x: str, tower: Tower, tokens: int) -> str:
    """[n, patches, width] → [n, `tokens`, width], each the mean of a square of patches."""
    side = math.isqrt(tokens)
    kernel = tower.side // side
    if tower.side // kernel != side:
        raise CheckpointError(f"config.json: mm_tokens_per_image {tokens} does not divide {tower.side}² patches into squares")
    turned = g.node("Transpose", [x], "vision_turned", perm=[0, 2, 1])
    image = g.node("Reshape", [turned, g.ints(-1, tower.width, tower.side, tower.side)], "vision_map")
    pooled = g.node("AveragePool", [image], "vision_pooled_map", kernel_shape=[kernel, kernel], strides=[kernel, kernel])
    flat = g.node("Reshape", [pooled, g.ints(-1, tower.width, tokens)], "vision_pooled_flat")
    return g.node("Transpose", [flat], "vision_pooled", perm=[0, 2, 1])
