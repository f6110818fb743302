"""Mistral 3 (transformers models/mistral3): Pixtral's tower, squares of patches merged into tokens, and a two-layer projector.

    pixel_values [images, 3, height, width] → image_features [tokens of all images, hidden]

Images of a run are of one size, whose sides are multiples of patch · merge pixels.
"""

from builder import GraphBuilder
from checkpoint import Checkpoint, CheckpointError
from decoders.blocks import rms_norm
from decoders.text_config import read_text_config
from precision import Precision
from vision.arithmetic import Arithmetic
from vision.common import mlp, shape
from vision.llava import FEATURES, PIXELS, hidden_size, projector
from vision.pixtral import CHANNELS, PatchMap, patch_map, pixtral_states, read_pixtral


def build(checkpoint: Checkpoint, precision: Precision) -> GraphBuilder:
    g = GraphBuilder(checkpoint, precision, "vision_encoder")
    config = checkpoint.config
    kind = (config.get("vision_config") or {}).get("model_type", "pixtral")
    if kind != "pixtral":
        raise CheckpointError(f'config.json: vision_config.model_type "{kind}" is not exported with mistral3; known is pixtral')
    tower = read_pixtral(checkpoint)
    pixels = g.real_input(PIXELS, ["num_images", CHANNELS, "height", "width"])
    places = patch_map(Arithmetic(g, "vision_size"), pixels, tower.patch)
    x = pixtral_states(g, pixels, tower, places, feature_layer(config, tower.layers))
    root = projector(checkpoint)
    x = rms_norm(g, x, f"{root}.norm.weight", read_text_config(checkpoint).eps, "vision_features_normed")
    x = merge(g, x, places, config.get("spatial_merge_size", 2), tower.width)
    x = g.linear(x, f"{root}.patch_merger.merging_layer", "vision_merged")
    x = mlp(g, x, f"{root}.linear_1", f"{root}.linear_2", config.get("projector_hidden_act", "gelu"), "vision_projected")
    g.real_output(x, FEATURES, ["num_tokens", hidden_size(checkpoint)])
    return g


def feature_layer(config: dict, layers: int) -> int:
    """Behind how many layers the features are taken."""
    chosen = config.get("vision_feature_layer", -1)
    if isinstance(chosen, list):
        if len(chosen) != 1:
            raise CheckpointError(f"config.json: vision_feature_layer {chosen}: features of one layer can be exported")
        [chosen] = chosen
    return chosen if chosen >= 0 else layers + 1 + chosen


def merge(g: GraphBuilder, x: str, places: PatchMap, factor: int, width: int) -> str:
    """[n, patches, width] → [n · tokens, width · factor²]; within a token first by feature, then by row and column."""
    a = Arithmetic(g, "vision_merge")
    down, across = (a.op("Unsqueeze", a.divide(side, g.scalar(factor)), g.ints(0)) for side in (places.rows, places.columns))
    blocks = a.op("Reshape", x, shape(g, [-1, down, factor, across, factor, width], "vision_blocks_shape"))
    turned = a.op("Transpose", blocks, perm=[0, 1, 3, 5, 2, 4])
    return g.node("Reshape", [turned, g.ints(-1, width * factor**2)], "vision_blocks")
