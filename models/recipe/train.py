"""Trains the model on freshly drawn pictures, from nothing or from an exported model.

    python3 train.py --fonts fonts --words words.txt --out run --seconds 1000            (one GPU, 16 cores)
    torchrun --nproc-per-node 4 train.py --fonts fonts --words words.txt --out run ...   (several GPUs)
    python3 train.py --fonts fonts --words words.txt --out run --device cpu --batch 64   (slowly)

The schedule follows the clock, not a number of steps: `--seconds` of training from the first step to the last.
"""

import argparse
import json
import math
import time
from pathlib import Path

import torch

from data.charts import Steps
from data.mixture import load_texts, single_rows
from held_out import LAYOUTS, HeldOut
from loader import Loader
from model import Idefics3
from ranks import Ranks
from step import Step, normalized
from tokenizer import Tokenizer
from warm_start import start_from

NAMES_LEARNED = 85.0
"""Percent of held-out questions about named bars: from there on names that do not occur are asked for too."""
STEPS_FROM = 0.55
"""Part of the time at which answers begin to show their steps if named bars are not found by then."""


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
    parser.add_argument("--batch", type=int, default=512, help="rows of each GPU, a multiple of 64")
    parser.add_argument("--workers", type=int, default=14, help="processes that draw, for each GPU")
    parser.add_argument("--replay", type=int, default=0, help="rows kept on the device, of which a batch is made when "
                        "drawing does not keep up")  # fmt: skip
    parser.add_argument("--lr", type=float, default=3e-3, help="peak learning rate of the matrices")
    parser.add_argument("--lr-rest", type=float, default=2e-3, help="peak learning rate of everything else")
    parser.add_argument("--weight-decay", type=float, default=0.03)
    parser.add_argument("--four-bit-from", type=float, default=0.75, help="part of the time from which on every "
                        "other step is taken with weights rounded to four bits")  # fmt: skip
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true", help="compile the model first")
    parser.add_argument("--begin-with", type=Path, help="an exported model directory to go on from")
    parser.add_argument("--resume", type=Path, help="a checkpoint to go on from")
    parser.add_argument("--save-every", type=float, default=100, help="seconds")
    parser.add_argument("--held-out-rows", type=int, default=384)
    parser.add_argument("--final-rows", type=int, default=1000, help="held-out rows of each kind at the end")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    all_ranks = Ranks()
    rank, ranks = all_ranks.rank, all_ranks.count
    agreed = all_ranks.agreed
    args.out.mkdir(parents=True, exist_ok=True)
    log_file = (args.out / "log.jsonl").open("a", encoding="utf-8")

    def log(**facts) -> None:
        if rank == 0:
            line = json.dumps(facts)
            print(line, flush=True)
            log_file.write(line + "\n")
            log_file.flush()

    # Before anything touches the GPU: the workers are forked.
    seed = args.seed * 100 + rank
    device = f"cuda:{rank}" if args.device == "cuda" else args.device
    loader = Loader(args.batch, args.workers, seed, args.fonts, args.words, args.tokenizer, device, args.replay, single_rows)
    on_gpu = args.device != "cpu"
    if on_gpu:
        torch.cuda.set_device(rank)
    all_ranks.join(device)
    torch.set_num_threads(2 if on_gpu else torch.get_num_threads())
    torch.manual_seed(args.seed)
    torch.backends.cuda.matmul.allow_tf32 = True
    tokenizer = Tokenizer(args.tokenizer)
    model = Idefics3()
    if args.begin_with:
        start_from(model, args.begin_with)
    model.to(device)
    torch.manual_seed(seed)
    step = Step(model, loader, all_ranks, args, on_gpu)
    trained = 0.0
    steps = 0
    if args.resume:
        saved = torch.load(args.resume, map_location=device, weights_only=False)
        model.load_state_dict(saved["model"])
        step.muon.load(saved["muon"])
        step.adam.load_state_dict(saved["adam"])
        trained, steps = saved["trained"], saved["steps"]
        loader.enter(saved["stage"])
        Steps.shown = bool(saved["stage"] & 2)
    texts = load_texts(args.fonts, args.words, test=True)
    log(parameters=sum(p.numel() for p in model.parameters()), tokens=len(tokenizer), resumed=trained, ranks=ranks)

    drawn: dict[bool, HeldOut] = {}

    def held_out() -> dict[str, float]:
        if Steps.shown not in drawn:
            drawn[Steps.shown] = HeldOut(tokenizer, texts, args.held_out_rows, device)
        return drawn[Steps.shown].accuracy(model, step.autocast, normalized)

    def in_the_end(rounding: bool, **which) -> None:
        facts = HeldOut(tokenizer, texts, args.final_rows, device, **which).accuracy(model, step.autocast, normalized)
        line = json.dumps({"four_bit": rounding, **which, **facts})
        print(line, flush=True)
        with (args.out / f"final-{rank}.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def save() -> None:
        if rank == 0:
            facts = {"model": model.state_dict(), "muon": step.muon.state(), "adam": step.adam.state_dict(), "trained": trained,
                     "steps": steps, "stage": loader.stage.value}  # fmt: skip
            torch.save(facts, args.out / "part.pt")
            (args.out / "part.pt").replace(args.out / "checkpoint.pt")

    # Compilation happens in the first step and is not training time.
    before = time.time()
    step.take(0.0, rounding=True)
    step.take(0.0, rounding=False)
    if on_gpu:
        torch.cuda.synchronize()
    log(compiled_in=round(time.time() - before, 1), **(held_out() if rank == 0 else {}))
    agreed(0)

    started = time.time() - trained
    shown, shown_steps, saved_at, losses = time.time(), steps, time.time(), []
    while trained < args.seconds and steps < args.steps:
        part = trained / args.seconds
        rounding = part > args.four_bit_from and steps % 2 == 0
        losses.append(step.take(rate(part, steps, warmup=200), rounding))
        steps += 1
        if steps % 8:
            continue
        due = time.time() - saved_at > args.save_every
        # A file may shorten or lengthen the run.
        wished = args.out / "seconds"
        wish = float(wished.read_text()) if rank == 0 and wished.exists() else args.seconds
        trained, due, args.seconds = agreed(time.time() - started, due, wish)
        if time.time() - shown > 20:
            speed = (steps - shown_steps) * args.batch * ranks / (time.time() - shown)
            log(trained=round(trained), steps=steps, loss=round(torch.stack(losses).mean().item(), 4),
                rows_per_second=round(speed), rows_drawn=loader.chunks_drawn * 64 * ranks)  # fmt: skip
            shown, shown_steps, losses = time.time(), steps, []
        if due:
            save()
            facts = held_out() if rank == 0 else {"chart-value": 0.0}
            log(trained=round(trained), stage=loader.stage.value, **facts)
            value, part = agreed(facts["chart-value"], trained / args.seconds)
            stage = loader.stage.value
            if value > NAMES_LEARNED or part > STEPS_FROM - 0.1:
                stage |= 1
            if value < NAMES_LEARNED and part > STEPS_FROM:
                stage |= 2
            loader.enter(stage)
            Steps.shown = bool(stage & 2)
            saved_at = time.time()
            trained = agreed(time.time() - started)[0]
    save()
    loader.stop()
    log(done=True, steps=steps, trained=round(trained), stage=loader.stage.value)
    jobs = [{"layout": layout} for layout in LAYOUTS]
    jobs += [{"layout": "picture, text", "unseen": True}, {"layout": "picture, text", "four_bit": True}]
    for job in jobs[rank::ranks]:
        rounding = job.pop("four_bit", False)
        with step.rounded(rounding):
            in_the_end(rounding, **job)
    agreed(0)
    all_ranks.leave()


if __name__ == "__main__":
    main()
