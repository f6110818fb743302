"""Writes the project's test fixtures: exports of tiny checkpoints, with their golden answers.

    python3 models/export/make_fixtures.py CHECKPOINTS test/fixtures/families [NAME ...]

CHECKPOINTS: a folder of checkpoints with golden.json, and the pictures that they share. OUT/published/NAME gets the graphs that differ where
a checkpoint is exported as published exports are.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import onnx  # noqa: E402

from checkpoint import Checkpoint, read_header  # noqa: E402
from export import export  # noqa: E402
from precision import PRECISIONS  # noqa: E402


# What real exports of these families are like.
PUBLISHED = {
    "llava": {"no-position-ids", "concat", "num-logits-to-keep", "flat-features"},
    "qwen2_vl": {"grid-thw", "num-logits-to-keep", "batched-features"},
    "qwen3_vl": {"no-deepstack", "num-logits-to-keep"},
    "gemma3": {"causal", "num-logits-to-keep"},
}


# Smaller ones are not worth a look elsewhere.
SMALL = 64


def without_weights(graph: Path, own: Path) -> bytes:
    """The graph without the weights that the family's own has under the same name; test/support/published-model.ts puts them back."""
    model = onnx.load(graph)
    weights = {tensor.name: tensor.raw_data for tensor in onnx.load(own).graph.initializer}
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) > SMALL and weights.get(tensor.name) == tensor.raw_data:
            tensor.ClearField("raw_data")
    return model.SerializeToString()


def write_published(checkpoint: Path, fixture: Path, out: Path) -> None:
    """The graphs that differ from those of the fixture."""
    with tempfile.TemporaryDirectory() as folder:
        export(Checkpoint(checkpoint), Path(folder), [PRECISIONS["fp32"]], PUBLISHED[checkpoint.name])
        shutil.rmtree(out, ignore_errors=True)
        (out / "onnx").mkdir(parents=True)
        for graph in sorted(Path(folder).glob("onnx/*")):
            own = fixture / "onnx" / graph.name
            if graph.read_bytes() != own.read_bytes():
                (out / "onnx" / graph.name).write_bytes(without_weights(graph, own))


def write_fixture(checkpoint: Path, out: Path) -> None:
    """A model directory in float32, golden answers, and checkpoint.json: the header of model.safetensors, for tests of the exporter."""
    shutil.rmtree(out, ignore_errors=True)
    export(Checkpoint(checkpoint), out, [PRECISIONS["fp32"]])
    # Half of what save_pretrained writes is white space.
    tokenizer = out / "tokenizer.json"
    compact = json.dumps(json.loads(tokenizer.read_text(encoding="utf-8")), ensure_ascii=False, separators=(",", ":"))
    tokenizer.write_text(compact + "\n", encoding="utf-8")
    for golden in checkpoint.glob("golden*.json"):
        shutil.copyfile(golden, out / golden.name)
    header, _ = read_header(checkpoint / "model.safetensors")
    lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in header.items()]
    (out / "checkpoint.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", help="of checkpoints; all, if none is given")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for picture in sorted(args.checkpoints.glob("*.png")):
        shutil.copyfile(picture, args.out / picture.name)
    for checkpoint in sorted(path.parent for path in args.checkpoints.glob("*/golden.json")):
        if not args.names or checkpoint.name in args.names:
            write_fixture(checkpoint, args.out / checkpoint.name)
            if checkpoint.name in PUBLISHED:
                write_published(checkpoint, args.out / checkpoint.name, args.out / "published" / checkpoint.name)
            print(checkpoint.name)


if __name__ == "__main__":
    main()
