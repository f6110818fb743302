"""LLaVA 1.5: patches of a chosen layer of CLIP (or SigLIP), and a two-layer projector (transformers models/llava).

    pixel_values [images, 3, size, size] → image_features [images, tokens, hidden]
"""

from builder import GraphBuilder
from checkpoint import Checkpoint, CheckpointError
from precision import Precision
from vision.clip import clip_states, read_clip
from vision.common import mlp
from vision.encoder import Tower, tower_root
from vision.siglip import read_siglip, siglip_states

PIXELS = "pixel_values"
FEATURES = "image_features"


def build(checkpoint: Checkpoint, precision: Precision) -> GraphBuilder:
    g = GraphBuilder(checkpoint, precision, "vision_encoder")
    tower = read_llava_tower(checkpoint)
    features = llava_features(g, pixel_input(g, tower), tower)
    g.real_output(features, FEATURES, ["num_images", tokens(checkpoint, tower), hidden_size(checkpoint)])
    return g


def integrate(g: GraphBuilder) -> str:
    """Within a decoder's graph: declares its inputs, and gives the features of all images, [rows, hidden]."""
    tower = read_llava_tower(g.checkpoint)
    features = llava_features(g, pixel_input(g, tower), tower)
    return g.node("Reshape", [features, g.ints(-1, hidden_size(g.checkpoint))], "vision_rows")


def read_llava_tower(checkpoint: Checkpoint) -> Tower:
    kind = checkpoint.config["vision_config"].get("model_type", "clip_vision_model")
    root = tower_root(checkpoint, "vision_tower")
    if kind == "clip_vision_model":
        return read_clip(checkpoint, root)
    if kind == "siglip_vision_model":
        return read_siglip(checkpoint, root)
    raise CheckpointError(f'vision_config: model_type "{kind}" is not exported; known are clip_vision_model, siglip_vision_model')


def pixel_input(g: GraphBuilder, tower: Tower) -> str:
    return g.real_input(PIXELS, ["num_images", 3, tower.image_size, tower.image_size])


def hidden_size(checkpoint: Checkpoint) -> int:
    return checkpoint.shape(f"{projector(checkpoint)}.linear_2.weight")[0]


def projector(checkpoint: Checkpoint) -> str:
    return checkpoint.part("multi_modal_projector", "model.multi_modal_projector")


def tokens(checkpoint: Checkpoint, tower: Tower) -> int:
    """Of one image."""
    return tower.side**2 + int(_has_class_token(checkpoint)) - int(_drops_first(checkpoint))


def llava_features(g: GraphBuilder, pixels: str, tower: Tower) -> str:
    """[n, tokens, hidden] of pixels [n, 3, size, size]."""
    checkpoint = g.checkpoint
    chosen = checkpoint.config.get("vision_feature_layer", -2)
    # Hidden state 0 is what enters the first layer; −1 what leaves the last.
    indices = [i if i >= 0 else tower.layers + 1 + i for i in (chosen if isinstance(chosen, list) else [chosen])]
    read = clip_states if _has_class_token(checkpoint) else siglip_states
    states = read(g, pixels, tower, max(indices))
    x = states[indices[0]]
    if len(indices) > 1:
        x = g.node("Concat", [states[i] for i in indices], "vision_chosen", axis=-1)
    if _drops_first(checkpoint):
        x = g.node("Slice", [x, g.ints(1), g.ints((1 << 63) - 1), g.ints(1)], "vision_patch_states")
    root, activation = projector(checkpoint), checkpoint.config.get("projector_hidden_act", "gelu")
    return mlp(g, x, f"{root}.linear_1", f"{root}.linear_2", activation, "vision_projected")


def _has_class_token(checkpoint: Checkpoint) -> bool:
    return checkpoint.config["vision_config"].get("model_type", "clip_vision_model") == "clip_vision_model"


def _drops_first(checkpoint: Checkpoint) -> bool:
    """Strategy "default" drops the first token, whatever it is."""
    return checkpoint.config.get("vision_feature_select_strategy", "default") == "default"
