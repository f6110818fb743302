"""The JSON files of a model directory, from those of a checkpoint."""

import json
import shutil
from pathlib import Path
from typing import Any

from checkpoint import Checkpoint, CheckpointError
from decoders.text_config import TextConfig, read_text_config

COPIED = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "chat_template.jinja", "chat_template.json", "preprocessor_config.json", "processor_config.json",
)  # fmt: skip
# At the top of config.json, what is not the language model's.
OF_THE_WHOLE = ("architectures", "model_type", "transformers_version", "vision_config")


def write_config_files(checkpoint: Checkpoint, out: Path, external: list[str], half_cache: bool, flat: bool) -> None:
    """Copies what is there, and completes what readers of the Hub's layout want.

    transformers 5 keeps the image processor's settings inside processor_config.json: preprocessor_config.json gets them
    as well. Checkpoints leave out of config.json what their class has as a default: the sizes of the language model are
    written out. `flat`: at its top too, where transformers.js looks for them in Qwen2-VL.

    `external`: file names of graphs with weights beside them; `half_cache`: there are graphs with a float16 cache. Both
    are written to `transformers.js_config`, as published exports have them.
    """
    if not (checkpoint.folder / "tokenizer.json").is_file():
        raise CheckpointError(
            f"{checkpoint.folder / 'tokenizer.json'} is missing: write it with "
            "AutoTokenizer.from_pretrained(FOLDER, use_fast=True).save_pretrained(FOLDER)"
        )
    for name in COPIED:
        if (checkpoint.folder / name).is_file():
            shutil.copyfile(checkpoint.folder / name, out / name)
    processor = checkpoint.json_or_empty("processor_config.json")
    if "image_processor" in processor and not (out / "preprocessor_config.json").is_file():
        kept = {"processor_class": processor.get("processor_class"), **_as_it_resizes(processor["image_processor"])}
        _write(out / "preprocessor_config.json", {name: value for name, value in kept.items() if value is not None})
    elif not (out / "preprocessor_config.json").is_file():
        raise CheckpointError(
            f"{checkpoint.folder} has neither preprocessor_config.json nor an image_processor in processor_config.json"
        )
    notes: dict[str, Any] = {}
    if external:
        notes["use_external_data_format"] = {name: 1 for name in sorted(external)}
    if half_cache:
        notes["kv_cache_dtype"] = {"fp16": "float16"}
    config = completed(checkpoint.config, read_text_config(checkpoint), flat)
    if notes:
        config["transformers.js_config"] = notes
    if config != checkpoint.config:
        _write(out / "config.json", config)


def _as_it_resizes(settings: dict[str, Any]) -> dict[str, Any]:
    """Names the filter that transformers 5 resizes with. Its image processors use torchvision, which had no Lanczos filter
    before 0.27: they put the bicubic one in its place. Readers of preprocessor_config.json take what it says."""
    lanczos, bicubic = 1, 3
    return {**settings, "resample": bicubic} if settings.get("resample") == lanczos else settings


def completed(config: dict[str, Any], text: TextConfig, flat: bool) -> dict[str, Any]:
    """config.json with a `text_config` that names all sizes. What it names already stays as it is."""
    family = config["model_type"]
    sizes: dict[str, Any] = {
        "model_type": f"{family}_text" if family.startswith("qwen") else text.type,
        "hidden_size": text.hidden,
        "num_hidden_layers": text.layers,
        "num_attention_heads": text.heads,
        "num_key_value_heads": text.kv_heads,
        "vocab_size": text.vocabulary,
    }
    if text.head_dim * text.heads != text.hidden:
        sizes["head_dim"] = text.head_dim
    for name in ("sliding_window", "attention_chunk_size"):
        if text.get(name) is not None:
            sizes[name] = text.get(name)
    # Qwen's first checkpoints have the language model's settings at the top.
    given = config.get("text_config") or {name: value for name, value in config.items() if name not in OF_THE_WHOLE}
    named = {name: value for name, value in given.items() if value is not None}
    result = {**config, "text_config": {**given, **{name: value for name, value in sizes.items() if name not in named}}}
    if flat:
        result |= {name: value for name, value in result["text_config"].items() if name not in config}
    return result


def _write(path: Path, contents: dict[str, Any]) -> None:
    path.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
