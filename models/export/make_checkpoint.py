"""Writes a tiny Mistral 3 checkpoint with random weights, and golden answers of it.

    python3 models/export/make_checkpoint.py TOKENIZER PICTURES OUT

TOKENIZER: a folder whose tokenizer is taken, Mistral's control tokens added. PICTURES: a folder with square.png, wide.png, tall.png and
small.png. OUT gets the pictures, OUT/mistral3 the checkpoint as `save_pretrained` writes it, and golden.json: make_fixtures.py goes on from
there. golden-ministral3.json has answers of the same weights in a Ministral 3 decoder: `text_config` is what config.json says otherwise.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch  # noqa: E402
from transformers import (  # noqa: E402
    AutoTokenizer,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    PixtralImageProcessor,
    PixtralProcessor,
)

from reference import Reference, as_arrays  # noqa: E402

SEED = 20
TOKENS = 32
PATCH, MERGE, LONGEST = 14, 2, 140
IMAGE, CONTROL = "[IMG]", ["[INST]", "[/INST]", "[IMG]", "[IMG_BREAK]", "[IMG_END]"]
# A user's parts in their order, as Mistral's templates have them.
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST]' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ '[IMG]' }}{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "{{ '[/INST]' }}{% else %}{{ message['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
)
ROPE = {"rope_theta": 1000000.0}
MISTRAL = {"model_type": "mistral", "rope_parameters": {**ROPE, "rope_type": "default"}}
# A short original context, so that the scaling of frequencies, tables and queries shows.
MINISTRAL = {
    "model_type": "ministral3",
    "rope_parameters": {
        **ROPE, "rope_type": "yarn", "factor": 16.0, "original_max_position_embeddings": 32, "beta_fast": 4.0, "beta_slow": 0.25,
        "mscale": 2.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.3,
    },
}  # fmt: skip
LONG = " ".join(f"Line {n} says {n * 31 % 89}." for n in range(40))
# Name, pictures, question.
CASES = (
    ("one image", ["square.png"], "What is in this image?"),
    ("wide image", ["wide.png"], "What is in this image?"),
    ("tall image", ["tall.png"], "What is in this image?"),
    ("tiny image", ["small.png"], "What is in this image?"),
    ("two images", ["square.png", "wide.png"], "What is different?"),
    ("long prompt", ["tall.png"], LONG),
    ("text only", [], "How much is two and two?"),
)


def write_checkpoint(tokenizer_folder: Path, out: Path, decoder: dict) -> None:
    """`decoder`: of text_config, what differs from one kind of Mistral to another."""
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    tokenizer.add_special_tokens(
        {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "additional_special_tokens": CONTROL}
    )
    image_processor = PixtralImageProcessor(size={"longest_edge": LONGEST}, patch_size={"height": PATCH, "width": PATCH})
    processor = PixtralProcessor(
        image_processor, tokenizer, patch_size=PATCH, spatial_merge_size=MERGE, chat_template=TEMPLATE
    )
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    config = Mistral3Config(
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        spatial_merge_size=MERGE,
        tie_word_embeddings=False,
        # Heads wider than their share of the hidden size, as Mistral Small's are.
        text_config={
            "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": len(tokenizer),
            "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "sliding_window": None,
            **decoder, **ids,
        },
        vision_config={
            "model_type": "pixtral", "hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 2,
            "num_attention_heads": 3, "image_size": LONGEST, "patch_size": PATCH, "hidden_act": "silu",
        },
        **ids,
    )  # fmt: skip
    torch.manual_seed(SEED)
    model = Mistral3ForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 1:
                weight.copy_(1 + 0.1 * torch.randn_like(weight))
            elif "embed_tokens" in name or "lm_head" in name:
                weight.normal_(std=0.5)
            else:
                # Keeps the size of what goes through, so that pictures and places matter in every layer.
                weight.normal_(std=1.4 / weight[0].numel() ** 0.5)
    model.save_pretrained(out)
    processor.save_pretrained(out)


def golden(checkpoint: Path, pictures: Path) -> list[dict]:
    reference = Reference(checkpoint)
    answers = []
    for name, images, question in CASES:
        content = [*({"type": "image"} for _ in images), {"type": "text", "text": question}]
        prompt = reference.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        inputs = reference.process(prompt, [pictures / image for image in images])
        run = reference.run(inputs, TOKENS)
        arrays = as_arrays(inputs)
        answers.append({
            "case": name, "images": images, "question": question, "prompt": prompt,
            "input_ids": arrays["input_ids"][0].tolist(),
            "shapes": {key: list(value.shape) for key, value in arrays.items()},
            "greedy": run.greedy, "smallest_gap": run.smallest_gap,
        })  # fmt: skip
        print(f"{name}: {len(answers[-1]['input_ids'])} tokens, gap {run.smallest_gap:.4f}, {len(set(run.greedy))} different")
    return answers


def write_json(path: Path, contents: list | dict) -> None:
    path.write_text(json.dumps(contents, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    checkpoint = args.out / "mistral3"
    write_checkpoint(args.tokenizer, checkpoint, MISTRAL)
    for picture in sorted({picture for _, images, _ in CASES for picture in images}):
        shutil.copyfile(args.pictures / picture, args.out / picture)
    write_json(checkpoint / "golden.json", golden(checkpoint, args.out))
    with tempfile.TemporaryDirectory() as folder:
        write_checkpoint(args.tokenizer, Path(folder), MINISTRAL)
        cases = golden(Path(folder), args.out)
    write_json(checkpoint / "golden-ministral3.json", {"text_config": MINISTRAL, "cases": cases})


if __name__ == "__main__":
    main()
