"""Writes golden answers of a checkpoint, from transformers: what exports and engines are compared with.

    python3 models/export/make_golden.py CHECKPOINT PICTURES OUT        one checkpoint
    python3 models/export/make_golden.py --all FOLDER PICTURES OUT      each checkpoint in FOLDER

PICTURES is a folder of PNG or JPEG files. OUT/pictures gets them, and pictures cut from them in many sizes; OUT/NAME gets golden-more.json
and CASE.npz in the format of golden.json: `case`, `images`, `parts` (text and images in order), `prompt` as it goes into
the processor, `input_ids`, `shapes`, `greedy` (32 tokens, end of sequence held back), `smallest_gap`. A case's .npz holds what the
processor made (floats in half precision) and `first_logits`; there is none where the pixels take more than 300 KB. A case that the
family's processor refuses is left out and printed.
"""

import argparse
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from reference import Reference, as_arrays  # noqa: E402

TOKENS = 32
LARGEST = 300_000
# Width and height: square, flat, high, odd, smaller than a patch, larger than any tile grid, and ones that round either way.
SIZES = ((56, 56), (57, 55), (13, 13), (28, 84), (84, 28), (112, 112), (113, 111), (200, 30), (30, 200), (150, 100), (100, 150),
         (333, 222), (221, 337), (640, 480), (480, 640), (500, 100), (97, 501))  # fmt: skip
LONG = " ".join(f"Item {n} costs {n * 37 % 101} and weighs {n * 53 % 97}." for n in range(24))


@dataclass(frozen=True)
class Frame:
    """A chat template's words around a user's message. `image`: what stands for an image, `gap`: behind the last image."""

    before: str
    image: str
    gap: str
    after: str


def read_frame(reference: Reference) -> Frame:
    def render(images: int) -> str:
        content = [*({"type": "image"} for _ in range(images)), {"type": "text", "text": "@@"}]
        return reference.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)

    before, after = render(0).split("@@")
    one, two = (render(count)[len(before) :].split("@@")[0] for count in (1, 2))
    image = two.removesuffix(one)
    return Frame(before, image, one.removeprefix(image), after)


def prompt_of(frame: Frame, parts: list[str | None]) -> str:
    """`parts`: text, or None for an image."""
    if parts and parts[0] is None:
        # Images that come first, as the template has them.
        count = next((i for i, part in enumerate(parts) if part is not None), len(parts))
        inner = frame.image * count + frame.gap + "".join(frame.image if p is None else p for p in parts[count:])
    else:
        inner = "".join(frame.image if part is None else part for part in parts)
    return frame.before + inner + frame.after


def cases(sizes: list[str], whole: list[str], family: str) -> list[tuple[str, list[str], list[str | None]]]:
    """Name, pictures, and parts of the message. Of PaliGemma's: images come first, and there is at least one."""
    result: list[tuple[str, list[str], list[str | None]]] = []
    for name in sizes:
        result.append((f"size {name.removesuffix('.png').removeprefix('size-')}", [name], [None, "What is in this image?"]))
    result += [
        ("two sizes", [sizes[1], sizes[9]], [None, None, "What is different?"]),
        ("two sizes turned", [sizes[9], sizes[1]], [None, None, "What is different?"]),
        ("same image twice", [sizes[3], sizes[3]], [None, None, "Are they equal?"]),
        ("three images", [sizes[0], sizes[7], sizes[10]], [None, None, None, "Which one is the highest?"]),
        ("four images", [sizes[2], sizes[4], sizes[5], sizes[8]], [None, None, None, None, "Count them."]),
        ("long text behind", [sizes[9]], [None, LONG]),
        ("two pictures and long text", [sizes[3], sizes[4]], [None, None, LONG]),
        ("short question", [sizes[5]], [None, "?"]),
        ("umlauts and signs", [sizes[0]], [None, "Größe: 3 × 4 = ? “naïve” – 日本語 🙂"]),
    ]
    result += [(f"whole {Path(name).stem}", [name], [None, "Describe it."]) for name in whole]
    if family == "paligemma":
        return result
    return [
        *result,
        ("text before", [sizes[0]], ["Look at this: ", None]),
        ("text around", [sizes[9]], ["Here is a picture ", None, " and what do you see?"]),
        ("text between", [sizes[1], sizes[10]], [None, " is the first and ", None, " the second. What is different?"]),
        ("text everywhere", [sizes[7], sizes[2], sizes[0]], ["A ", None, " B ", None, " C ", None, " D?"]),
        ("long text before", [sizes[4]], [LONG + " ", None, " How much is item 5?"]),
        ("long text around", [sizes[5], sizes[3]], [LONG + " ", None, " " + LONG + " ", None, " Which?"]),
        ("only text", [], ["How much is seven times six?"]),
        ("only long text", [], [LONG + " Which item is the lightest?"]),
    ]


def cut_pictures(pictures: Path, out: Path) -> tuple[list[str], list[str]]:
    """Names of the pictures in the sizes of `SIZES`, and of the given ones, all in `out`."""
    given = sorted(path for path in pictures.iterdir() if path.suffix.lower() in (".png", ".jpg", ".jpeg"))
    if not given:
        raise SystemExit(f"{pictures} has no PNG or JPEG files")
    out.mkdir(parents=True, exist_ok=True)
    sizes = []
    for index, (width, height) in enumerate(SIZES):
        # Another picture each, turned each time by a right angle, so that none is another one scaled.
        source = Image.open(given[index % len(given)]).convert("RGB").rotate(90 * (index % 4), expand=True)
        sizes.append(f"size-{width}x{height}.png")
        source.resize((width, height), Image.Resampling.BICUBIC).save(out / sizes[-1])
    for path in given:
        shutil.copyfile(path, out / path.name)
    return sizes, [path.name for path in given]


def make(checkpoint: Path, pictures: Path, out: Path) -> int:
    """@return: how many cases were written"""
    sizes, whole = cut_pictures(pictures, out / "pictures")
    reference = Reference(checkpoint)
    frame = read_frame(reference)
    folder = out / checkpoint.name
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, images, parts in cases(sizes, whole, reference.family):
        prompt = prompt_of(frame, parts)
        try:
            inputs = reference.process(prompt, [out / "pictures" / image for image in images])
            run = reference.run(inputs, TOKENS)
        except Exception as error:  # noqa: BLE001 - a processor may refuse a size with any error
            print(f"{checkpoint.name}: {name}: left out: {type(error).__name__}: {error}", flush=True)
            continue
        arrays = as_arrays(inputs)
        written.append({
            "case": name,
            "images": images,
            "parts": [{"type": "image"} if part is None else {"type": "text", "text": part} for part in parts],
            "prompt": prompt,
            "input_ids": arrays["input_ids"][0].tolist(),
            "shapes": {key: list(value.shape) for key, value in arrays.items()},
            "greedy": run.greedy,
            "smallest_gap": run.smallest_gap,
        })  # fmt: skip
        halves = {key: value.astype(np.float16) if value.dtype == np.float32 else value for key, value in arrays.items()}
        if halves.get("pixel_values", np.zeros(0)).nbytes <= LARGEST:
            np.savez_compressed(folder / f"{name.replace(' ', '-')}.npz", **halves, first_logits=run.logits[None])
        print(f"{checkpoint.name}: {name}: {len(written[-1]['input_ids'])} tokens, gap {run.smallest_gap:.4f}", flush=True)
    text = json.dumps(written, ensure_ascii=False)
    (folder / "golden-more.json").write_text(text + "\n", encoding="utf-8")
    return len(written)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="CHECKPOINT is a folder of checkpoints")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    folders = sorted(path.parent for path in args.checkpoint.glob("*/config.json")) if args.all else [args.checkpoint]
    for checkpoint in folders:
        print(f"{checkpoint.name}: {make(checkpoint, args.pictures, args.out)} cases", flush=True)


if __name__ == "__main__":
    main()
