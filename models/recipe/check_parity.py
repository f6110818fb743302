"""Compares this model's PyTorch code, transformers and the exported graphs in onnxruntime, token by token, greedily.

    python3 check_parity.py run/checkpoint.pt out --fonts fonts --words words.txt --prompts 500 [--golden ../golden]

A prompt counts as equal when every token of the answer is. `--golden` also writes pictures and tokens for the
project's tests.
"""

import argparse
import json
import os
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image

from conversation import prompt_ids
from data.chart_pictures import chart_row
from data.common import Row, plain
from data.compare import compare_row
from data.document_talk import document_row
from data.layouts import laid_out
from data.mixture import load_texts
from data.noise import with_noise
from data.photos import photo_row
from data.reading import reading_row
from data.scenes import scene_row
from export import load_model
from model import greedy
from model_config import CONTEXT, TEXT, config_json
from tokenizer import EOS, IMAGE, Tokenizer
from step import normalized


def rows_to_compare(fonts: Path, words: Path, count: int, plain_rows: int) -> list[Row]:
    rng = Random(424_242)
    texts = load_texts(fonts, words, test=True)
    makers = [
        scene_row,
        lambda r: reading_row(r, texts),
        lambda r: chart_row(r, texts),
        lambda r: compare_row(r, texts),
        scene_row,
        lambda r: document_row(r, texts),
        photo_row,
    ]
    rows = [with_noise(makers[i % len(makers)](rng), rng) for i in range(count)]
    # The first ones plainly, as the tests' goldens have them; then in every layout.
    return [row if i < plain_rows else laid_out(rng, row) for i, row in enumerate(rows)]


def pixels_of(images: list[Image.Image], device: str = "cpu") -> torch.Tensor:
    return normalized(torch.from_numpy(np.stack([np.asarray(i) for i in images]))).to(device)


class OnnxModel:
    """The exported graphs as an engine runs them: a prefill, then one token at a time over the cache."""

    def __init__(self, folder: Path, suffix: str = ""):
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it would collect, and send
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = min(4, os.cpu_count() or 1)
        def load(name):
            return ort.InferenceSession(str(folder / f"onnx/{name}{suffix}.onnx"), options, ["CPUExecutionProvider"])
        self.vision, self.embed, self.decoder = map(load, ("vision_encoder", "embed_tokens", "decoder_model_merged"))

    def greedy(self, pixels: np.ndarray, ids: list[int], image_token: int, most: int = 256) -> list[int]:
        features = self.vision.run(None, {"pixel_values": pixels[None]})[0].reshape(-1, TEXT["hidden"])
        past = {
            f"past_key_values.{i}.{kind}": np.zeros((1, TEXT["kv_heads"], 0, TEXT["head_dim"]), np.float32)
            for i in range(TEXT["layers"])
            for kind in ("key", "value")
        }
        answer: list[int] = []
        new, length = list(ids), 0
        while len(answer) < most:
            embeds = self.embed.run(None, {"input_ids": np.array([new], np.int64)})[0].copy()
            if length == 0:
                embeds[0, np.array(new) == image_token] = features
            total = length + len(new)
            feeds = {
                "inputs_embeds": embeds,
                "attention_mask": np.ones((1, total), np.int64),
                "position_ids": np.arange(length, total, dtype=np.int64)[None],
                "num_logits_to_keep": np.array(1, np.int64),
                **past,
            }
            logits, *present = self.decoder.run(None, feeds)
            past = dict(zip(past, present))
            token = int(logits[0, -1].argmax())
            if token == EOS:
                break
            answer.append(token)
            new, length = [token], total
        return answer


def transformers_model(model, device: str):
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration

    settings = {k: v for k, v in config_json().items() if k not in ("architectures", "model_type")}
    reference = Idefics3ForConditionalGeneration(Idefics3Config(**settings))
    missing, unexpected = reference.load_state_dict(model.state_dict(), strict=False)
    reference.tie_weights()
    if unexpected or any(name != "lm_head.weight" for name in missing):
        raise ValueError(f"transformers names differ: missing {missing}, unexpected {unexpected}")
    return reference.to(device).eval()


def reference_positions() -> list[int]:
    """Which position embedding transformers gives to each patch."""
    from model import Idefics3

    reference = transformers_model(Idefics3().eval(), "cpu")
    embeddings = reference.model.vision_model.embeddings
    with torch.no_grad():
        embeddings.patch_embedding.weight.zero_()
        embeddings.patch_embedding.bias.zero_()
        table = embeddings.position_embedding.weight
        table.copy_(torch.arange(table.shape[0], dtype=torch.float32)[:, None].expand_as(table))
        grid = int(table.shape[0] ** 0.5)
        pixels = torch.zeros(1, 3, embeddings.image_size, embeddings.image_size)
        mask = torch.ones(1, grid, grid, dtype=torch.bool)
        return embeddings(pixel_values=pixels, patch_attention_mask=mask)[0, :, 0].round().long().tolist()


def agrees(reference, pixels, ids: list[int], answer: list[int]) -> bool:
    """Whether the reference, greedy, gives exactly this answer: it must choose each token after those before it."""
    full = torch.tensor([ids + answer], device=pixels.device)
    with torch.no_grad():
        logits = reference(input_ids=full, pixel_values=pixels[None], attention_mask=torch.ones_like(full)).logits
    chosen = logits[0, len(ids) - 1 :].argmax(-1).tolist()
    return chosen == [*answer, EOS]


@torch.no_grad()
def chooses(model, pixels, ids: list[int], answer: list[int]) -> bool:
    """Whether this model, greedy, gives exactly this answer."""
    full = torch.tensor([ids + answer], device=pixels.device)
    logits = model(pixels, full, 1 if pixels.shape[0] == 2 else 0)
    return logits[0, len(ids) - 1 :].argmax(-1).tolist() == [*answer, EOS]


def check_tokenizer(folder: Path, tokenizer: Tokenizer, texts: list[str]) -> int:
    from tokenizers import Tokenizer as Library

    library = Library.from_file(str(folder / "tokenizer.json"))
    return sum(library.encode(text, add_special_tokens=False).ids != tokenizer.encode(text) for text in texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="what PyTorch computes with; an exported directory will do")
    parser.add_argument("out", type=Path, help="the exported model directory")
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--prompts", type=int, default=500)
    parser.add_argument("--golden", type=Path, help="folder to write pictures and golden.json to")
    parser.add_argument("--golden-rows", type=int, default=60)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    tokenizer = Tokenizer(args.out / "tokenizer.json")
    model = load_model(args.checkpoint).to(args.device)
    onnx_model, onnx_q4 = OnnxModel(args.out), OnnxModel(args.out, "_q4")
    reference = transformers_model(model.cpu(), args.device)
    model.to(args.device)
    expected = list(range(len(reference_positions())))
    print(json.dumps({"positions_in_order": reference_positions() == expected}))

    rows = rows_to_compare(args.fonts, args.words, args.prompts, args.golden_rows)
    texts = [plain(text) for row in rows for t in row.turns for text in (t.question, " " + t.answer)]
    print(json.dumps({"tokenizer_texts": len(texts), "tokenizer_differs": check_tokenizer(args.out, tokenizer, texts)}))
    equal = {"onnxruntime": 0, "transformers": 0, "onnxruntime_q4_to_fp32": 0}
    golden = []
    correct = {"fp32": 0, "q4": 0}
    for number, row in enumerate(rows):
        pixels = pixels_of(row.images, args.device)
        history: list[tuple[str, str]] = []
        turns = row.turns[:3] if number < args.golden_rows else row.turns[:1]
        for turn in turns:
            ids = prompt_ids(tokenizer, row, history, turn.question)
            # The graphs have a cache; PyTorch goes over the whole answer at once, or on its own where it disagrees.
            from_onnx = onnx_model.greedy(pixels.cpu().numpy(), ids, IMAGE)
            answer = from_onnx if chooses(model, pixels, ids, from_onnx) else greedy(model, pixels, ids, EOS)
            text = tokenizer.decode(answer).strip()
            if not history:
                from_q4 = onnx_q4.greedy(pixels.cpu().numpy(), ids, IMAGE)
                equal["onnxruntime"] += from_onnx == answer
                equal["onnxruntime_q4_to_fp32"] += from_q4 == answer
                equal["transformers"] += agrees(reference, pixels, ids, answer)
                correct["fp32"] += text == plain(turn.answer)
                correct["q4"] += tokenizer.decode(from_q4).strip() == plain(turn.answer)
            if args.golden and number < args.golden_rows:
                names = [f"{number:02}{'ab'[j] if len(row.images) > 1 else ''}.png" for j in range(len(row.images))]
                golden.append({
                    "images": names,
                    "history": [{"question": plain(q), "answer": a} for q, a in history],
                    "question": plain(turn.question),
                    "expected": plain(turn.answer),
                    "greedy": text,
                    "promptIds": ids,
                    "tokenIds": answer,
                })  # fmt: skip
                args.golden.mkdir(parents=True, exist_ok=True)
                for name, image in zip(names, row.images):
                    image.save(args.golden / name, optimize=True)
            history.append((turn.question, text))
    print(json.dumps({"prompts": len(rows), "equal_to_pytorch": equal, "correct": correct}))
    if args.golden:
        lines = ",\n".join(json.dumps(one) for one in golden)
        (args.golden / "golden.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
