"""Trains the model from nothing on freshly drawn pictures.

    python3 train.py --fonts fonts --words words.txt --out run --seconds 1000            (one GPU, 16 cores)
    python3 train.py --fonts fonts --words words.txt --out run --device cpu --batch 64   (slowly)

The schedule follows the clock, not a number of steps: `--seconds` of training from the first step to the last.
"""

import argparse
import contextlib
import json
import math
import time
from pathlib import Path
from random import Random

import numpy as np
import torch
import torch.nn.functional as F

from conversation import LENGTH, encode_row
from data.charts import chart_row
from data.common import SIDE
from data.compare import compare_row
from data.mixture import load_texts
from data.photos import photo_row
from data.reading import reading_row
from data.scenes import scene_row
from loader import Loader
from model import FIRST_IMAGE, Idefics3
from model_config import IMAGE_TOKENS
from optimizer import FourBitWeights, Muon
from tokenizer import PAD, Tokenizer

ANSWERS_FROM = FIRST_IMAGE + IMAGE_TOKENS


def normalized(pixels: torch.Tensor, noise: torch.Tensor | None = None) -> torch.Tensor:
    """`[n, side, side, 3]` bytes → `[n, 3, side, side]` from -1 to 1."""
    x = pixels.permute(0, 3, 1, 2).float()
    if noise is not None:
        x = (x + torch.randn_like(x) * noise[:, None, None, None]).clamp(0, 255)
    return (x / 127.5 - 1).contiguous()


def matrices_of(model: Idefics3) -> list[torch.nn.Parameter]:
    return [m.weight for m in model.modules() if isinstance(m, torch.nn.Linear)]


class HeldOut:
    """Rows of a held-out generator; an answer counts when every token of it is the most likely one."""

    def __init__(self, tokenizer: Tokenizer, texts, rows: int, device: str):
        makers = {
            "reading": lambda rng: reading_row(rng, texts),
            "scene": scene_row,
            "chart": lambda rng: chart_row(rng, texts),
            "photo": photo_row,
            "compare": lambda rng: compare_row(rng, texts),
        }
        rng = Random(987_654_321)
        self.sets = []
        for name, make in makers.items():
            made = [make(rng) for _ in range(rows)]
            pixels = torch.from_numpy(np.stack([np.asarray(r.images[0]) for r in made]))
            if name == "compare":
                pixels = torch.cat([pixels, torch.from_numpy(np.stack([np.asarray(r.images[1]) for r in made]))])
            noise = torch.tensor([r.noise for r in made] * (2 if name == "compare" else 1), dtype=torch.float32)
            ids = torch.full((rows, LENGTH), PAD)
            marks = torch.zeros(rows, LENGTH, dtype=torch.long)
            for i, row in enumerate(made):
                row_ids, row_marks = encode_row(tokenizer, row)
                ids[i, : len(row_ids)] = torch.tensor(row_ids)
                marks[i, : len(row_marks)] = torch.tensor(row_marks)
            skills = [[t.skill for t in r.turns] for r in made]
            tensors = (t.to(device) for t in (pixels, noise, ids, marks))
            self.sets.append((name, *tensors, skills))

    @torch.no_grad()
    def accuracy(self, model: Idefics3, autocast) -> dict[str, float]:
        right: dict[str, list[bool]] = {}
        for name, pixels, noise, ids, marks, skills in self.sets:
            rows = ids.shape[0]
            with autocast():
                logits = model(normalized(pixels, noise), ids, rows if name == "compare" else 0)
            wrong = (logits[:, :-1].argmax(-1) != ids[:, 1:]).cpu().numpy()
            at = marks[:, :-1].cpu().numpy()
            for i in range(rows):
                for turn in range(1, at[i].max() + 1):
                    right.setdefault(skills[i][turn - 1], []).append(not wrong[i][at[i] == turn].any())
        return {skill: round(100 * sum(r) / len(r), 1) for skill, r in sorted(right.items())}


def rate(part: float, steps: int, warmup: int) -> float:
    """Share of the peak learning rate after `part` of the time: warm-up, plateau, then a cosine to nearly nothing."""
    rise = min(1.0, (steps + 1) / warmup)
    if part < 0.3:
        return rise
    fall = (part - 0.3) / 0.7
    return rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, fall))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", type=Path, required=True, help="folder made by collect_fonts.py")
    parser.add_argument("--words", type=Path, required=True, help="word list, one a line (Debian's wamerican-small)")
    parser.add_argument("--tokenizer", type=Path, default=Path(__file__).parent / "tokenizer.json")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and the log")
    parser.add_argument("--seconds", type=float, default=1000, help="training time")
    parser.add_argument("--steps", type=int, default=1 << 40, help="stop after so many steps")
    parser.add_argument("--batch", type=int, default=512, help="rows, a multiple of 64")
    parser.add_argument("--workers", type=int, default=14, help="processes that draw")
    parser.add_argument("--replay", type=int, default=0, help="rows kept on the device, of which a batch is made when "
                        "drawing does not keep up")  # fmt: skip
    parser.add_argument("--lr", type=float, default=3e-3, help="peak learning rate of the matrices")
    parser.add_argument("--lr-rest", type=float, default=2e-3, help="peak learning rate of everything else")
    parser.add_argument("--weight-decay", type=float, default=0.03)
    parser.add_argument("--four-bit-from", type=float, default=0.7, help="part of the time from which on every "
                        "other step is taken with weights rounded to four bits")  # fmt: skip
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true", help="compile the model first")
    parser.add_argument("--resume", type=Path, help="a checkpoint to go on from")
    parser.add_argument("--save-every", type=float, default=100, help="seconds")
    parser.add_argument("--held-out-rows", type=int, default=384)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    log_file = (args.out / "log.jsonl").open("a", encoding="utf-8")

    def log(**facts) -> None:
        line = json.dumps(facts)
        print(line, flush=True)
        log_file.write(line + "\n")
        log_file.flush()

    # Before anything touches the GPU: the workers are forked.
    loader = Loader(args.batch, args.workers, args.seed, args.fonts, args.words, args.tokenizer, args.device, args.replay)
    torch.set_num_threads(2 if args.device != "cpu" else torch.get_num_threads())
    torch.manual_seed(args.seed)
    torch.backends.cuda.matmul.allow_tf32 = True
    device, on_gpu = args.device, args.device != "cpu"
    tokenizer = Tokenizer(args.tokenizer)
    model = Idefics3().to(device)
    matrices = matrices_of(model)
    known = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in known]
    muon = Muon(matrices, args.weight_decay)
    adam = torch.optim.AdamW(rest, lr=0.0, betas=(0.9, 0.98), weight_decay=0.0, **({"fused": True} if on_gpu else {}))
    four_bit = FourBitWeights(matrices)
    trained = 0.0
    steps = 0
    if args.resume:
        saved = torch.load(args.resume, map_location=device, weights_only=False)
        model.load_state_dict(saved["model"])
        muon.load(saved["muon"])
        adam.load_state_dict(saved["adam"])
        trained, steps = saved["trained"], saved["steps"]
    held_out = HeldOut(tokenizer, load_texts(args.fonts, args.words, test=True), args.held_out_rows, device)
    log(parameters=sum(p.numel() for p in model.parameters()), tokens=len(tokenizer), resumed=trained)

    def autocast():
        return torch.autocast("cuda", dtype=torch.bfloat16) if on_gpu else contextlib.nullcontext()

    def loss_of(pixels, ids, marks):
        with autocast():
            logits = model(pixels, ids[:, :-1], loader.doubles, ANSWERS_FROM)
        wanted = torch.where(marks[:, ANSWERS_FROM:-1] > 0, ids[:, ANSWERS_FROM + 1 :], -100)
        return F.cross_entropy(logits.flatten(0, 1).float(), wanted.flatten(), ignore_index=-100)

    fast_loss = torch.compile(loss_of) if args.compile else loss_of

    def save() -> None:
        facts = {"model": model.state_dict(), "muon": muon.state(), "adam": adam.state_dict(), "trained": trained,
                 "steps": steps}  # fmt: skip
        torch.save(facts, args.out / "part.pt")
        (args.out / "part.pt").replace(args.out / "checkpoint.pt")

    def train_step(at_rate: float, rounding: bool) -> torch.Tensor:
        pixels, noise, ids, marks = loader.next()
        with four_bit if rounding else contextlib.nullcontext():
            loss = fast_loss(normalized(pixels, noise), ids, marks)
            loss.backward()
        torch.nn.utils.clip_grad_norm_(rest, 1.0)
        muon.step(args.lr * at_rate)
        for group in adam.param_groups:
            group["lr"] = args.lr_rest * at_rate
        adam.step()
        model.zero_grad(set_to_none=True)
        return loss.detach()

    # Compilation happens in the first step and is not training time.
    before = time.time()
    train_step(0.0, rounding=True)
    train_step(0.0, rounding=False)
    if on_gpu:
        torch.cuda.synchronize()
    log(compiled_in=round(time.time() - before, 1))

    started = time.time() - trained
    shown, shown_steps, saved_at, losses = time.time(), steps, time.time(), []
    while trained < args.seconds and steps < args.steps:
        part = trained / args.seconds
        rounding = part > args.four_bit_from and steps % 2 == 0
        losses.append(train_step(rate(part, steps, warmup=150), rounding))
        steps += 1
        if on_gpu and steps % 8 == 0:
            torch.cuda.synchronize()
        trained = time.time() - started
        if time.time() - shown > 20:
            speed = (steps - shown_steps) * args.batch / (time.time() - shown)
            log(trained=round(trained), steps=steps, loss=round(torch.stack(losses).mean().item(), 4),
                rows_per_second=round(speed), rows_drawn=loader.chunks_drawn * 64)  # fmt: skip
            shown, shown_steps, losses = time.time(), steps, []
        if time.time() - saved_at > args.save_every:
            save()
            log(trained=round(trained), **held_out.accuracy(model, autocast))
            saved_at = time.time()
            trained = time.time() - started
    save()
    loader.stop()
    log(done=True, steps=steps, trained=round(trained), **held_out.accuracy(model, autocast))
    with four_bit:
        log(four_bit=True, **held_out.accuracy(model, autocast))


if __name__ == "__main__":
    main()
