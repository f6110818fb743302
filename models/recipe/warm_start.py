"""
Weights to go on from: those of an exported model directory, put into a larger model. Layers that are new begin as the
identity (their last matrices are zero), tokens that are new with small random rows.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from model import Idefics3
from model_config import HALVED, TEXT, VISION

ROOTS = {"text_model.layers.": TEXT["layers"], "encoder.layers.": VISION["layers"]}
# Where the layers of a model with fewer go: five among seven, five among six.
PLACES = {(5, 7): [0, 1, 2, 4, 6], (5, 6): [0, 1, 2, 3, 5]}


def initializers(path: Path) -> dict[str, np.ndarray]:
    return {t.name.removesuffix(HALVED): numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}


def exported_weights(folder: Path) -> dict[str, torch.Tensor]:
    """By PyTorch's names."""
    weights: dict[str, np.ndarray] = {}
    for name in ("vision_encoder", "embed_tokens", "decoder_model_merged"):
        for key, array in initializers(folder / f"onnx/{name}.onnx").items():
            if key.endswith(".weight_t"):
                weights[key.removesuffix("_t")] = array.T
            elif key.startswith("model."):
                weights[key] = array
            elif key == "positions":
                weights["model.vision_model.embeddings.position_embedding.weight"] = array[0]
            elif key.endswith("_qkv_bias"):
                layer = key[1:].removesuffix("_qkv_bias")
                for name_, part in zip("qkv", np.split(array, 3)):
                    weights[f"model.vision_model.encoder.layers.{layer}.self_attn.{name_}_proj.bias"] = part
    weights.pop("lm_head.weight", None)
    return {name: torch.from_numpy(np.array(array, np.float32)) for name, array in weights.items()}


def layer_of(name: str, root: str) -> int | None:
    _, found, after = name.partition(root)
    return int(after.partition(".")[0]) if found else None


def places_of(names: list[str]) -> dict[str, list[int]]:
    """By root, where each layer of the exported model goes."""
    places = {}
    for root, layers in ROOTS.items():
        count = 1 + max(layer_of(name, root) or 0 for name in names)
        places[root] = list(range(layers)) if count == layers else PLACES[count, layers]
    return places


def moved(name: str, places: dict[str, list[int]]) -> str:
    for root, wanted in places.items():
        layer = layer_of(name, root)
        if layer is not None:
            return name.replace(f"{root}{layer}.", f"{root}{wanted[layer]}.")
    return name


@torch.no_grad()
def start_from(model: Idefics3, folder: Path) -> None:
    exported = exported_weights(folder)
    places = places_of(list(exported))
    state = model.state_dict()
    filled = set()
    for name, tensor in exported.items():
        target = state[moved(name, places)]
        if name.endswith("embed_tokens.weight"):
            target[: tensor.shape[0]].copy_(tensor)
        else:
            target.copy_(tensor.reshape(target.shape))
        filled.add(moved(name, places))
    text, vision = (set(range(layers)) - set(places[root]) for root, layers in ROOTS.items())
    for i in text:
        layer = model.model.text_model.layers[i]
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
    for i in vision:
        layer = model.model.vision_model.encoder.layers[i]
        layer.self_attn.out_proj.weight.zero_()
        layer.mlp.fc2.weight.zero_()
    new = [f"{root}{i}." for root, layers in zip(ROOTS, (text, vision)) for i in layers]
    missing = [name for name in state if name not in filled and not any(part in name for part in new)]
    if missing:
        raise ValueError(f"the exported model lacks {missing}")


def load_into(model: Idefics3, sources: list[Path]) -> None:
    """Exported model directories and checkpoints; a checkpoint may hold a part of the weights, over those before it."""
    for source in sources:
        if source.is_dir():
            start_from(model, source)
            continue
        weights = torch.load(source, map_location="cpu")["model"]
        unknown = model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False).unexpected_keys
        if unknown:
            raise ValueError(f"{source} has weights that the model does not have: {unknown}")
