"""Writes what the vision parts of checkpoints give in PyTorch for inputs that no picture of the fixtures makes: several grids, sizes and
masks in one run.

    python3 models/export/make_vision_golden.py CHECKPOINTS test/fixtures/vision-golden.json

CHECKPOINTS: a folder of checkpoints, each named as its family. Pixels are numbers from a generator that tests have too (`noise`). Of every
output its shape is kept, and the values at 0, `stride`, 2 · `stride` …
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForImageTextToText

SEED = 7
KEPT = 48
SQUARE = {"pixel_values": [3, 3, 56, 56]}
GRIDS = {
    "one square": [[1, 4, 4]],
    "one row": [[1, 2, 22]],
    "a film": [[3, 4, 6]],
    "three sizes": [[1, 10, 6], [1, 2, 2], [2, 6, 14]],
}
# Height and width of an image, and into how many tiles it is cut, the whole one included; 1: it is one of several in a prompt.
ANY_RESOLUTION = {
    "high": ([300, 90], 4), "padded": ([300, 170], 5), "flat": ([40, 333], 4), "two tiles": ([40, 100], 3), "not cut": ([640, 480], 1),
}  # fmt: skip
# Height and width of the picture in each tile, and the tiles' side; 0: no picture, the tile fills up a batch.
MASKS = {
    "whole tiles": ([[56, 56], [56, 56]], 56), "parts of tiles": ([[56, 30], [1, 56], [43, 29]], 56),
    "one tile to fill up": ([[56, 56], [0, 0], [14, 14]], 56), "larger tiles": ([[84, 84], [84, 50]], 84),
}  # fmt: skip
FAMILIES = {
    **{name: {"three images": SQUARE} for name in ("llava", "gemma3", "paligemma", "llama4")},
    **{name: {case: {"image_grid_thw": grid} for case, grid in GRIDS.items()} for name in ("qwen2_vl", "qwen2_5_vl", "qwen3_vl")},
    "llava_onevision": {
        case: {"pixel_values": [tiles, 3, 56, 56], "image_sizes": [size]} for case, (size, tiles) in ANY_RESOLUTION.items()
    },
    # Of one size in a run; sides are whole tokens.
    "mistral3": {
        "three images": {"pixel_values": [3, 3, 84, 56]}, "flat": {"pixel_values": [1, 3, 28, 308]}, "large": {"pixel_values": [1, 3, 280, 196]},
    },
    "idefics3": {
        case: {"pixel_values": [1, len(pictures), 3, side, side], "pictures": pictures}
        for case, (pictures, side) in MASKS.items()
    },
}


def noise(count: int) -> np.ndarray:
    """float32 [count] between −1 and 1, the same at every run."""
    state, values = SEED, np.empty(count, np.float32)
    for i in range(count):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        values[i] = state / 2**31 - 1
    return values


def outputs(model, family: str, case: dict) -> dict[str, torch.Tensor]:
    """By the names of the exported graph."""
    pixels = torch.from_numpy(noise(math.prod(case["pixel_values"])).reshape(case["pixel_values"]))
    if family == "llama4":
        states = model.get_image_features(pixels, vision_feature_select_strategy="default").last_hidden_state
        return {"image_features": model.multi_modal_projector(states.flatten(0, 1))}
    if family == "idefics3":
        mask = torch.zeros(*pixels.shape[:2], *pixels.shape[3:], dtype=torch.bool)
        for tile, (height, width) in enumerate(case["pictures"]):
            mask[0, tile, :height, :width] = True
        return {"image_features": model.model.get_image_features(pixels * mask[:, :, None], mask).pooler_output}
    if family == "mistral3":
        sizes = torch.tensor([case["pixel_values"][2:]] * len(pixels))
        return {"image_features": torch.cat(model.model.get_image_features(pixels, sizes).pooler_output)}
    if family == "llava_onevision":
        sizes = torch.tensor(case["image_sizes"])
        if len(pixels) > 1:
            return {"image_features": model.model.get_image_features(pixels, sizes).pooler_output[0]}
        twice = model.model.get_image_features(pixels.repeat(2, 1, 1, 1), sizes.repeat(2, 1), batch_num_images=torch.tensor([2]))
        return {"image_features": twice.pooler_output[0]}
    if "image_grid_thw" in case:
        output = model.model.get_image_features(pixels, torch.tensor(case["image_grid_thw"]))
        deep = getattr(output, "deepstack_features", None) or []
        return {
            "image_features": torch.cat(list(output.pooler_output)),
            **{f"deepstack_features.{i}": features for i, features in enumerate(deep)},
        }
    features = model.model.get_image_features(pixels).pooler_output
    return {"image_features": features if isinstance(features, torch.Tensor) else torch.stack(list(features))}


def kept(tensor: torch.Tensor) -> dict:
    values = tensor.flatten()
    stride = math.ceil(len(values) / KEPT)
    return {"shape": list(tensor.shape), "stride": stride, "values": [round(float(value), 6) for value in values[::stride]]}


@torch.no_grad()
def golden(checkpoints: Path) -> list[dict]:
    cases = []
    for family, described in FAMILIES.items():
        model = AutoModelForImageTextToText.from_pretrained(
            checkpoints / family, dtype=torch.float32, attn_implementation="eager"
        ).eval()
        for name, inputs in described.items():
            case = dict(inputs)
            if "image_grid_thw" in case:
                vision = model.config.vision_config
                size = 3 * vision.temporal_patch_size * vision.patch_size**2
                case["pixel_values"] = [sum(math.prod(grid) for grid in case["image_grid_thw"]), size]
            made = {output: kept(tensor) for output, tensor in outputs(model, family, case).items()}
            cases.append({"family": family, "case": name, **case, "outputs": made})
    return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in golden(args.checkpoints))
    args.out.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
