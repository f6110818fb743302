"""Compares an exported model directory with PyTorch, case by case.

    python3 models/export/check.py CHECKPOINT EXPORTED [--dtype q4] [--cases FILE]     one model directory
    python3 models/export/check.py --all FOLDER [--dtype fp32,fp16]      exports each checkpoint in FOLDER, then compares

The cases are those of CHECKPOINT/golden.json, or of another such file (see `make_golden.py`): prompts and pictures; of a checkpoint
without one, a drawn picture and text alone. Where torch and transformers are installed they are run again, and image features,
embeddings, logits and tokens compared; where they are not, logits and tokens are compared with what is stored beside golden.json, and
the output says so. Exit code 1: some difference in fp32 is above 1e-4.
"""

import argparse
import importlib.util
import json
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np  # noqa: E402

from precision import PRECISIONS, Precision  # noqa: E402
from run_graphs import ExportedModel  # noqa: E402

LIMIT = 1e-4
# Two logits nearer than this may change places in another order of additions.
CLOSE = 2e-3


@dataclass
class Difference:
    """The largest of each kind; None where there is nothing to compare. `equal` of `count` greedy tokens."""

    features: float | None
    embeds: float | None
    logits: float
    equal: int
    count: int
    gap: float

    def within_limit(self) -> bool:
        largest = max(self.features or 0, self.embeds or 0, self.logits)
        return largest <= LIMIT and (self.equal == self.count or self.gap < CLOSE)

    def __str__(self) -> str:
        parts = [("features", self.features), ("embeds", self.embeds), ("logits", self.logits)]
        shown = "  ".join(f"{name} {'–' if value is None else f'{value:.1e}'}" for name, value in parts)
        return f"{shown}  tokens {self.equal}/{self.count} (gap {self.gap:.4f})"


def has_torch() -> bool:
    return all(importlib.util.find_spec(name) for name in ("torch", "transformers", "PIL"))


def check(checkpoint: Path, exported: Path, precision: Precision, file: Path | None = None) -> list[tuple[str, Difference]]:
    """Every case of `file`, CHECKPOINT/golden.json unless given, that there is a reference for."""
    file = file or checkpoint / "golden.json"
    if not file.is_file():
        return check_drawn(checkpoint, exported, precision)
    cases = json.loads(file.read_text(encoding="utf-8"))
    model = ExportedModel(exported, precision.suffix)
    refused = end_tokens(checkpoint)
    if not has_torch():
        return [
            (case["case"], compare_stored(model, case, dict(np.load(path)), refused))
            for case in cases
            if (path := file.parent / f"{case['case'].replace(' ', '-')}.npz").is_file()
        ]
    from reference import Reference

    reference = Reference(checkpoint)
    return [(case["case"], compare_run(model, reference, case, file.parent, refused)) for case in cases]


def check_drawn(checkpoint: Path, exported: Path, precision: Precision) -> list[tuple[str, Difference]]:
    if not has_torch():
        print(f"{checkpoint} has no golden.json: nothing to compare with")
        return []
    from PIL import Image

    from make_golden import prompt_of, read_frame
    from reference import Reference

    reference = Reference(checkpoint)
    frame = read_frame(reference)
    model = ExportedModel(exported, precision.suffix)
    with tempfile.TemporaryDirectory() as folder:
        drawn = np.random.default_rng(0).integers(0, 256, (9, 13, 3), np.uint8)
        Image.fromarray(drawn).resize((320, 240)).save(Path(folder) / "drawn.png")
        cases = [{"case": "drawn picture", "images": ["drawn.png"], "prompt": prompt_of(frame, [None, "What is in this image?"])}]
        if reference.family != "paligemma":
            cases.append({"case": "text only", "images": [], "prompt": prompt_of(frame, ["How much is seven times six?"])})
        refused = end_tokens(checkpoint)
        return [(case["case"], compare_run(model, reference, {**case, "greedy": [0] * 8}, Path(folder), refused)) for case in cases]


def compare_stored(model: ExportedModel, case: dict, stored: dict[str, np.ndarray], refused: set[int]) -> Difference:
    if "pixel_values" in stored:
        stored["pixel_values"] = unrounded(stored["pixel_values"], model.preprocessor)
    answer = model.prefill(stored)
    logits = largest(answer.logits, stored["first_logits"][0])
    tokens = answer.greedy(len(case["greedy"]), refused)
    return Difference(None, None, logits, common(tokens, case["greedy"]), len(tokens), case["smallest_gap"])


def unrounded(pixels: np.ndarray, preprocessor: dict) -> np.ndarray:
    """Normalized pixels [..., 3, h, w], or patches of them, as they were before they were stored in half precision.

    Each was a byte once, and half precision is fine enough to tell which. Pixels that no bytes give (Llama 4's processor hands them over in
    bfloat16, and half precision holds those as they are) stay what they are.
    """
    mean, std = (np.array(preprocessor[name], np.float64)[:, None, None] for name in ("image_mean", "image_std"))
    # Patches are flat: channels are the slowest of what is in them.
    channels = pixels if pixels.ndim > 2 else pixels.reshape(pixels.shape[0], 3, -1, 1)
    exact = (np.rint((channels * std + mean) * 255) / 255 - mean) / std
    # Zeros may be padding behind the normalization.
    padding = channels == 0
    if not (padding | (exact.astype(pixels.dtype) == channels)).all():
        return pixels.astype(np.float32)
    return np.where(padding, 0, exact).reshape(pixels.shape).astype(np.float32)


def compare_run(model: ExportedModel, reference, case: dict, folder: Path, refused: set[int]) -> Difference:
    from reference import as_arrays

    inputs = reference.process(case["prompt"], [picture(folder, name) for name in case["images"]])
    expected = reference.run(inputs, len(case["greedy"]))
    answer = model.prefill(as_arrays(inputs))
    features = text = None
    if not model.integrated:
        embeds = answer.feeds["inputs_embeds"][0]
        here = inputs["input_ids"][0].numpy() == model.image_token
        features = largest(embeds[here], expected.embeds[here]) if here.any() else None
        text = largest(embeds[~here], expected.embeds[~here])
    logits = largest(answer.logits, expected.logits)
    tokens = answer.greedy(len(expected.greedy), refused)
    return Difference(features, text, logits, common(tokens, expected.greedy), len(tokens), expected.smallest_gap)


def picture(folder: Path, name: str) -> Path:
    """Pictures lie beside golden.json, or are shared by the checkpoints of a folder."""
    places = [folder / name, folder.parent / name, folder.parent / "pictures" / name]
    return next((path for path in places if path.is_file()), places[0])


def end_tokens(checkpoint: Path) -> set[int]:
    path = checkpoint / "generation_config.json"
    ends = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id") if path.is_file() else None
    return {end for end in (ends if isinstance(ends, list) else [ends]) if end is not None}


def largest(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max())


def common(a: list[int], b: list[int]) -> int:
    """Tokens before the first that differs."""
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


def report(checkpoint: Path, exported: Path, precision: Precision, file: Path | None = None) -> bool:
    """Prints the differences. False: one is above the limit, in a precision that has one."""
    good = True
    for name, difference in check(checkpoint, exported, precision, file):
        over = precision.name == "fp32" and not difference.within_limit()
        good = good and not over
        print(f"  {checkpoint.name:16} {precision.name} {name:24} {difference}{'  ABOVE THE LIMIT' if over else ''}", flush=True)
    return good


def check_all(folder: Path, precisions: list[Precision], out: Path) -> bool:
    from checkpoint import Checkpoint
    from export import export

    good = True
    for checkpoint in sorted(path.parent for path in folder.glob("*/golden.json")):
        exported = out / checkpoint.name
        try:
            export(Checkpoint(checkpoint), exported, precisions)
            # Every precision, although one before it was not good.
            passed = all([report(checkpoint, exported, precision) for precision in precisions])
        except Exception:  # noqa: BLE001 - the next family is to be checked as well
            traceback.print_exc()
            passed = False
        print(f"{checkpoint.name}: rc {0 if passed else 1}", flush=True)
        good = good and passed
    return good


def main() -> int:
    from export import read_precisions

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, nargs="?")
    parser.add_argument("exported", type=Path, nargs="?")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="a folder of checkpoints with golden.json")
    parser.add_argument("--dtype", type=read_precisions, default=[PRECISIONS["fp32"]])
    parser.add_argument("--cases", type=Path, help="another file than CHECKPOINT/golden.json")
    parser.add_argument("--out", type=Path, help="with --all: keep the exported directories here")
    args = parser.parse_args()
    if not has_torch():
        print("torch, transformers and pillow are not all installed: compared with the stored logits and tokens only")
    if args.all is not None:
        with tempfile.TemporaryDirectory() as temporary:
            return 0 if check_all(args.all, args.dtype, args.out or Path(temporary)) else 1
    if args.checkpoint is None or args.exported is None:
        parser.error("give CHECKPOINT and EXPORTED, or --all FOLDER")
    return 0 if all([report(args.checkpoint, args.exported, precision, args.cases) for precision in args.dtype]) else 1


if __name__ == "__main__":
    sys.exit(main())
