"""Ways in which exports published on the Hub differ from what is written by default, one by one."""

import numpy as np
from onnx import helper

from builder import GraphBuilder
from checkpoint import CheckpointError
from decoders.decoder import DecoderOptions

VARIANTS = {
    "no-position-ids": "the decoder counts positions itself, from attention_mask",
    "concat": "Concat and products in place of GroupQueryAttention",
    "num-logits-to-keep": "the decoder computes only the last logits that are asked for",
    "causal": "no token_type_ids: image tokens see only what is before them (Gemma 3, PaliGemma); image prompts are then not exact",
    "no-deepstack": "no deepstack_features (Qwen3-VL); image prompts are then not exact",
    "grid-thw": "the vision graph's image_grid_thw is called grid_thw, and config.json has the sizes at its top",
    "no-pixel-mask": "no pixel_attention_mask: every tile is whole, and none is left out (Idefics3, SmolVLM)",
    "flat-features": "image_features [rows, H] where they are [images, tokens, H]",
    "batched-features": "image_features [1, rows, H] where they are [rows, H]",
}
# Families whose vision graph knows where in a tile there is a picture.
MASKED = ("idefics3", "smolvlm")


def decoder_options(variants: set[str]) -> DecoderOptions:
    return DecoderOptions(
        positions="no-position-ids" not in variants,
        joined="concat" in variants,
        logits_to_keep="num-logits-to-keep" in variants,
        both_ways="causal" not in variants,
        deepstack="no-deepstack" not in variants,
    )


def vision_options(variants: set[str], family: str) -> dict[str, bool]:
    """What the family's module is told. @raise CheckpointError: where it has nothing to leave out"""
    if "no-pixel-mask" not in variants:
        return {}
    if family not in MASKED:
        _nothing("no-pixel-mask", "has no input pixel_attention_mask")
    return {"mask": False}


def change_vision(g: GraphBuilder, variants: set[str]) -> None:
    """@raise CheckpointError: where the family's graph has nothing to change"""
    if "no-deepstack" in variants:
        g.outputs = [value for value in g.outputs if not value.name.startswith("deepstack_features.")]
        g.prune()
    if "grid-thw" in variants:
        _rename_input(g, "image_grid_thw", "grid_thw")
    for variant, rank in (("flat-features", 3), ("batched-features", 2)):
        if variant in variants:
            _reshape_features(g, variant, rank)


def _rename_input(g: GraphBuilder, old: str, new: str) -> None:
    [value] = [value for value in g.inputs if value.name == old] or _nothing("grid-thw", f"has no input {old}")
    value.name = new
    for node in g.nodes:
        node.input[:] = [new if name == old else name for name in node.input]


def _reshape_features(g: GraphBuilder, variant: str, rank: int) -> None:
    [value] = [value for value in g.outputs if value.name == "image_features"]
    sizes = [dim.dim_value or dim.dim_param for dim in value.type.tensor_type.shape.dim]
    if len(sizes) != rank:
        _nothing(variant, f"gives image_features of {len(sizes)} dimensions")
    [maker] = [node for node in g.nodes if "image_features" in node.output]
    inside = "image_features_inside"
    maker.output[:] = [inside if name == "image_features" else name for name in maker.output]
    hidden = sizes[-1]
    shape = [-1, hidden] if rank == 3 else [1, -1, hidden]
    g.node("Reshape", [inside, g.constant("features_shape", np.array(shape, np.int64))], "image_features")
    named = ["rows", hidden] if rank == 3 else [1, "rows", hidden]
    value.CopyFrom(helper.make_tensor_value_info("image_features", value.type.tensor_type.elem_type, named))


def _nothing(variant: str, why: str):
    raise CheckpointError(f"--published {variant}: this family's vision graph {why}")
