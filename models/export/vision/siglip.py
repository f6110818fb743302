"""SigLIP's tower: patches alone (transformers models/siglip)."""

from builder import GraphBuilder
from checkpoint import Checkpoint
from vision.common import layer_norm, patch_embedding
from vision.encoder import SIGLIP, Tower, encode, read_tower


def read_siglip(checkpoint: Checkpoint, root: str) -> Tower:
    return read_tower(checkpoint, root, SIGLIP, class_tokens=0)


def siglip_states(g: GraphBuilder, pixels: str, tower: Tower, layers: int) -> list[str]:
    """Hidden states 0 … `layers`, [n, patches, width], of pixels [n, 3, size, size]."""
    at = f"{tower.root}.embeddings"
    x = patch_embedding(g, pixels, f"{at}.patch_embedding.weight", f"{at}.patch_embedding.bias", "vision_patches")
    x = g.node("Add", [x, g.weight(f"{at}.position_embedding.weight")], "vision_embedded")
    return encode(g, x, tower, layers)


def siglip_output(g: GraphBuilder, pixels: str, tower: Tower) -> str:
    """`last_hidden_state`: what leaves the last layer, normalized."""
    x = siglip_states(g, pixels, tower, tower.layers)[-1]
    return layer_norm(g, x, f"{tower.root}.post_layernorm", tower.eps, "vision_normalized")
