"""Writes a transformers checkpoint (safetensors) in the Hub's ONNX layout, which Troupe and transformers.js read.

    python3 models/export/export.py CHECKPOINT OUT [--dtype fp32,fp16,q8,q4] [--check]

OUT gets the checkpoint's JSON files and onnx/{vision_encoder,embed_tokens,decoder_model_merged}{,_fp16,_quantized,_q4}.onnx.
The graphs are built node by node from the weights, one at a time; PyTorch is needed by --check alone.
"""

import argparse
import importlib
import sys
from collections.abc import Iterable
from pathlib import Path

# Modules of this folder, from wherever the command is given.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from builder import GraphBuilder  # noqa: E402
from checkpoint import Checkpoint, CheckpointError  # noqa: E402
from config_files import write_config_files  # noqa: E402
from decoders import decoder, embedding  # noqa: E402
from integrated import integrate  # noqa: E402
from precision import PRECISIONS, Precision  # noqa: E402
from published import VARIANTS, change_vision, decoder_options, vision_options  # noqa: E402

# The module in vision/ that builds a family's vision graph, by config.json's `model_type`.
VISION = {
    "llava": "llava",
    "llava_onevision": "llava_onevision",
    "qwen2_vl": "qwen2_vl",
    "qwen2_5_vl": "qwen2_5_vl",
    "qwen3_vl": "qwen3_vl",
    "gemma3": "gemma3",
    "paligemma": "paligemma",
    "llama4": "llama4",
    "idefics3": "idefics3",
    "smolvlm": "idefics3",
    "mistral3": "mistral3",
}


def build_vision(checkpoint: Checkpoint, precision: Precision, published: set[str]) -> GraphBuilder:
    family = checkpoint.config.get("model_type")
    if family not in VISION:
        raise CheckpointError(f'config.json: model_type is "{family}"; exported are {", ".join(VISION)}')
    options = vision_options(published, family)
    return importlib.import_module(f"vision.{VISION[family]}").build(checkpoint, precision, **options)


def export(
    checkpoint: Checkpoint,
    out: Path,
    precisions: list[Precision],
    published: set[str] = frozenset(),
    integrated: bool = False,
) -> None:
    """@raise CheckpointError: of what cannot be exported"""
    (out / "onnx").mkdir(parents=True, exist_ok=True)
    external = []
    for precision in precisions:
        graphs = [
            build_vision(checkpoint, precision, published),
            embedding.build(checkpoint, precision),
            decoder.build(checkpoint, precision, decoder_options(published)),
        ]
        change_vision(graphs[0], published)
        if integrated:
            graphs = [integrate(*graphs)]
        for graph in graphs:
            path = out / "onnx" / f"{graph.name}{precision.suffix}.onnx"
            graph.save(path)
            if path.with_name(f"{path.name}_data").is_file():
                external.append(path.name)
    half_cache = any(precision.half for precision in precisions)
    write_config_files(checkpoint, out, external, half_cache, flat="grid-thw" in published)


def read_precisions(text: str) -> list[Precision]:
    return [PRECISIONS[name] for name in choices(text, PRECISIONS)]


def read_variants(text: str) -> set[str]:
    return set(choices(text, VARIANTS))


def choices(text: str, known: Iterable[str]) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: known are {', '.join(known)}")
    return names


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="a folder as save_pretrained or the Hub has it")
    parser.add_argument("out", type=Path, help="the model directory to write")
    parser.add_argument("--dtype", type=read_precisions, default="fp32", help="of fp32, fp16, q8, q4; separated by commas")
    parser.add_argument("--integrated", action="store_true", help="one graph that takes token ids and pixels, in place of three")
    variants = "; ".join(f"{name}: {what}" for name, what in VARIANTS.items())
    parser.add_argument("--published", type=read_variants, default=set(), help=f"as some published exports are. {variants}")
    parser.add_argument("--check", action="store_true", help="compare with PyTorch afterwards (check.py)")
    args = parser.parse_args()
    try:
        export(Checkpoint(args.checkpoint), args.out, args.dtype, args.published, args.integrated)
    except CheckpointError as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    for path in sorted(args.out.rglob("*")):
        if path.is_file():
            print(f"{path.stat().st_size:>12} {path.relative_to(args.out)}")
    if args.check:
        from check import report

        return 0 if all([report(args.checkpoint, args.out, precision) for precision in args.dtype]) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
