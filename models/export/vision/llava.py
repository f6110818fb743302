"""LLaVA 1.5: patches of a chosen layer of CLIP (or SigLIP), and a two-layer projector (transformers models/llava).

    pixel_values [images, 3, size, size] → image_features [images, tokens, hidden]
"""

from dataclasses import dataclass

from builder import GraphBuilder
from checkpoint import Checkpoint, CheckpointError
from precision import Precision
from vision.clip import clip_states, read_clip
from vision.common import mlp
from vision.encoder import Tower, tower_root
from vision.siglip import read_siglip, siglip_states

PIXELS = "pixel_values"
FEATURES = "image_features"
CLIP_TYPE, SIGLIP_TYPE = "clip_vision_model", "siglip_vision_model"


@dataclass(frozen=True)
class Patches:
    """Which hidden states go into the projector. `states`: 0 is what enters the first layer. `tokens`: of an image."""

    tower: Tower
    has_class_token: bool
    states: list[int]
    drops_first: bool

    @property
    def tokens(self) -> int:
        return self.tower.side**2 + int(self.has_class_token) - int(self.drops_first)


def build(checkpoint: Checkpoint, precision: Precision) -> GraphBuilder:
    g = GraphBuilder(checkpoint, precision, "vision_encoder")
    patches = read_patches(checkpoint)
    features = project(g, pixel_input(g, patches.tower), patches)
    g.real_output(features, FEATURES, ["num_images", patches.tokens, hidden_size(checkpoint)])
    return g


def read_patches(checkpoint: Checkpoint, layer: int = -2, strategy: str = "default") -> Patches:
    """`layer`, `strategy`: where config.json names none."""
    config = checkpoint.config
    kind = config["vision_config"].get("model_type", CLIP_TYPE)
    if kind not in (CLIP_TYPE, SIGLIP_TYPE):
        raise CheckpointError(f'config.json: vision_config.model_type "{kind}" is not exported; known are {CLIP_TYPE}, {SIGLIP_TYPE}')
    root = tower_root(checkpoint, "vision_tower")
    tower = (read_clip if kind == CLIP_TYPE else read_siglip)(checkpoint, root)
    chosen = config.get("vision_feature_layer", layer)
    states = [i if i >= 0 else tower.layers + 1 + i for i in (chosen if isinstance(chosen, list) else [chosen])]
    # "default" drops the first token, whether it is a class token or not.
    drops_first = config.get("vision_feature_select_strategy", strategy) == "default"
    return Patches(tower, kind == CLIP_TYPE, states, drops_first)


def pixel_input(g: GraphBuilder, tower: Tower) -> str:
    """Of one size: the position table is for this one."""
    return g.real_input(PIXELS, ["num_images", 3, tower.image_size, tower.image_size])


def project(g: GraphBuilder, pixels: str, patches: Patches) -> str:
    """[n, tokens, hidden] of pixels [n, 3, size, size]."""
    read = clip_states if patches.has_class_token else siglip_states
    states = read(g, pixels, patches.tower, max(patches.states))
    x = states[patches.states[0]]
    if len(patches.states) > 1:
        x = g.node("Concat", [states[i] for i in patches.states], "vision_chosen", axis=-1)
    if patches.drops_first:
        x = g.node("Slice", [x, g.ints(1), g.ints((1 << 63) - 1), g.ints(1)], "vision_patch_states")
    root, activation = projector(g.checkpoint), g.checkpoint.config.get("projector_hidden_act", "gelu")
    return mlp(g, x, f"{root}.linear_1", f"{root}.linear_2", activation, "vision_projected")


def hidden_size(checkpoint: Checkpoint) -> int:
    return checkpoint.shape(f"{projector(checkpoint)}.linear_2.weight")[0]


def projector(checkpoint: Checkpoint) -> str:
    return checkpoint.part("multi_modal_projector", "model.multi_modal_projector")
