"""Integrated encoding: one graph that takes token ids and pixels, and does embedding, vision and merge inside.

    input_ids ─▶ embed ─▶ text ──────────────┐
        └─▶ any == image token? ─▶ If ── no ─▶ text as it is ──────────┬─▶ inputs_embeds ─▶ decoder
    pixel_values ────────────────── yes ─▶ vision ─▶ ScatterND(text) ──┘

It is `decoder_model_merged` with `input_ids` and the vision graph's inputs in place of `inputs_embeds`. Steps without an image token never run
the vision part; their pixels may have 0 tiles.
"""

import numpy as np
from onnx import helper

from builder import FLOAT, GraphBuilder
from checkpoint import CheckpointError

EMBEDS = "inputs_embeds"
# Families whose images are of many sizes, each a run of its own.
ONE_IMAGE = ("llava_onevision", "mistral3")


def integrate(vision: GraphBuilder, embed: GraphBuilder, decoder: GraphBuilder) -> GraphBuilder:
    """@raise CheckpointError: of a family whose vision graph takes one image a run"""
    config = decoder.checkpoint.config
    if config["model_type"] in ONE_IMAGE:
        raise CheckpointError(f"{config['model_type']}: its vision graph takes one image a run, so there is no integrated encoding")
    g = GraphBuilder(decoder.checkpoint, decoder.precision, decoder.name)
    g.nodes += g.absorb(embed, "embed/", {"input_ids": "input_ids", EMBEDS: "text_embeds"})
    token = config.get("image_token_id", config.get("image_token_index"))
    here = g.node("Equal", ["input_ids", g.constant("image_token", np.array(token, np.int64))], "is_image")
    most = g.node("ReduceMax", [g.node("Cast", [here], "image_ones", to=FLOAT)], "most_image", keepdims=0)
    some = g.node("Greater", [most, g.constant("half", np.array(0.5, np.float32))], "any_image")
    add_merge(g, vision, some, embed.outputs[0])
    g.nodes += g.absorb(decoder, "", {name: name for name in names_of(decoder.inputs) + names_of(decoder.outputs)})
    made = {EMBEDS, *names_of(vision.outputs)}
    g.inputs = [*embed.inputs, *vision.inputs, *(one for one in decoder.inputs if one.name not in made)]
    g.outputs = list(decoder.outputs)
    return g


def add_merge(g: GraphBuilder, vision: GraphBuilder, some: str, embeds) -> None:
    """Makes `inputs_embeds`, and what else the vision graph gives (zeros where no image token is), under their own names."""
    shape = [dim.dim_value or dim.dim_param for dim in embeds.type.tensor_type.shape.dim]
    hidden = shape[-1]
    outputs = names_of(vision.outputs)
    targets = {name: EMBEDS if name == "image_features" else name for name in outputs}
    first = g.node("Sub", ["text_embeds", "text_embeds"], "no_features") if len(outputs) > 1 else ""
    bases = {name: "text_embeds" if name == "image_features" else first for name in outputs}
    nodes = g.absorb(vision, "vision/", {name: name for name in names_of(vision.inputs)})
    nodes.append(helper.make_node("NonZero", ["is_image"], ["image_places_by_axis"]))
    nodes.append(helper.make_node("Transpose", ["image_places_by_axis"], ["image_places"], perm=[1, 0]))
    for name in outputs:
        rows = f"vision/{name}_rows"
        nodes.append(helper.make_node("Reshape", [f"vision/{name}", g.ints(-1, hidden)], [rows]))
        nodes.append(helper.make_node("ScatterND", [bases[name], "image_places", rows], [f"merged/{name}"]))
    plain = [helper.make_node("Identity", [bases[name]], [f"plain/{name}"]) for name in outputs]

    def branch(name: str, inside: list, prefix: str):
        values = [helper.make_tensor_value_info(f"{prefix}{output}", FLOAT, shape) for output in outputs]
        return helper.make_graph(inside, name, [], values)

    g.node("If", [some], [targets[name] for name in outputs],
           then_branch=branch("with_images", nodes, "merged/"), else_branch=branch("text_only", plain, "plain/"))  # fmt: skip


def names_of(values: list) -> list[str]:
    return [value.name for value in values]
