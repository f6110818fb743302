"""The JSON files of a model directory, from those of a checkpoint."""

import json
import shutil
from pathlib import Path
from typing import Any

from checkpoint import Checkpoint, CheckpointError

COPIED = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "chat_template.jinja", "chat_template.json", "preprocessor_config.json", "processor_config.json",
)  # fmt: skip


def write_config_files(checkpoint: Checkpoint, out: Path, external: list[str], half_cache: bool) -> None:
    """Copies what is there. transformers 5 keeps the image processor's settings inside processor_config.json, where readers of the
    Hub's layout do not look: they get a preprocessor_config.json as well.

    `external`: file names of graphs with weights beside them; `half_cache`: there are graphs with a float16 cache. Both are
    written to `transformers.js_config`, as published exports have them.
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
        kept = {"processor_class": processor.get("processor_class"), **processor["image_processor"]}
        _write(out / "preprocessor_config.json", {name: value for name, value in kept.items() if value is not None})
    elif not (out / "preprocessor_config.json").is_file():
        raise CheckpointError(f"{checkpoint.folder} has neither preprocessor_config.json nor an image_processor in processor_config.json")
    notes: dict[str, Any] = {}
    if external:
        notes["use_external_data_format"] = {name: 1 for name in sorted(external)}
    if half_cache:
        notes["kv_cache_dtype"] = {"fp16": "float16"}
    if notes:
        _write(out / "config.json", {**checkpoint.config, "transformers.js_config": notes})


def _write(path: Path, contents: dict[str, Any]) -> None:
    path.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
