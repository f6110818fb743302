"""CLIP's tower: a class token before the patches (transformers models/clip)."""

from builder import GraphBuilder
from checkpoint import Checkpoint
from vision.common import layer_norm, patch_embedding
from vision.encoder import CLIP, Tower, encode, read_tower


def read_clip(checkpoint: Checkpoint, root: str) -> Tower:
    return read_tower(checkpoint, root, CLIP, class_tokens=1)


def clip_states(g: GraphBuilder, pixels: str, tower: Tower, layers: int) -> list[str]:
    """Hidden states 0 … `layers`, [n, 1 + patches, width], of pixels [n, 3, size, size]; the class token comes first."""
    at = f"{tower.root}.embeddings"
    patches = patch_embedding(g, pixels, f"{at}.patch_embedding.weight", None, "vision_patches")
    count = g.node("Slice", [g.node("Shape", [pixels], "vision_pixels_shape"), g.ints(0), g.ints(1)], "vision_images")
    one = g.node("Concat", [count, g.ints(1, tower.width)], "vision_class_shape", axis=0)
    token = g.node("Expand", [g.weight(f"{at}.class_embedding"), one], "vision_class")
    x = g.node("Concat", [token, patches], "vision_tokens", axis=1)
    x = g.node("Add", [x, g.weight(f"{at}.position_embedding.weight")], "vision_embedded")
    x = layer_norm(g, x, f"{tower.root}.pre_layrnorm", tower.eps, "vision_normed")
    return encode(g, x, tower, layers)
