"""Trains the decoder of an exported model further, on more of what it does worst; vision and embeddings stay as they are.

    python3 tune.py --fonts fonts --words words.txt --begin-with ../default --out run --seconds 400 --compile
    torchrun --nproc-per-node 2 tune.py ...   (several GPUs)

The schedule follows the clock: a short warm-up, then a straight line to zero. What is kept is the newest checkpoint in
which no skill has fallen, in either layout, by more than the noise of the held-out set.
"""

import argparse
import json
import shutil
import time
from pathlib import Path

import torch

from asked import Asked
from data.focus import focused_rows
from held_out import LAYOUTS
from loader import Loader
from model import Idefics3
from ranks import Ranks
from step import Step, normalized
from tokenizer import Tokenizer
from warm_start import load_into

WARM_UP = 0.06
"""Part of the time in which the rate rises."""
WATCHED = ("picture, text", "text, picture")
FALLEN = 0.8
"""Percent of a skill's items: less is the noise of some hundred of them."""


def rate(part: float) -> float:
    return min(part / WARM_UP, (1 - part) / (1 - WARM_UP))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", type=Path, required=True, help="folder made by collect_fonts.py")
    parser.add_argument("--words", type=Path, required=True, help="word list, one a line")
    parser.add_argument("--tokenizer", type=Path, default=Path(__file__).parent / "tokenizer.json")
    parser.add_argument("--begin-with", type=Path, nargs="+", required=True, help="an exported model directory or a "
                        "checkpoint, and checkpoints of this script over it")  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and the log")
    parser.add_argument("--seconds", type=float, default=400, help="training time, without compilation")
    parser.add_argument("--until", type=float, help="seconds since 1970 at which training ends at the latest")
    parser.add_argument("--batch", type=int, default=512, help="rows of each GPU, a multiple of 64")
    parser.add_argument("--workers", type=int, default=14, help="processes that draw, for each GPU")
    parser.add_argument("--replay", type=int, default=32768, help="rows kept on the device, of which a batch is made "
                        "when drawing does not keep up")  # fmt: skip
    parser.add_argument("--lr", type=float, default=6e-4, help="peak learning rate of the matrices")
    parser.add_argument("--lr-rest", type=float, default=4e-4, help="peak learning rate of the norms")
    parser.add_argument("--weight-decay", type=float, default=0.03)
    parser.add_argument("--four-bit-from", type=float, default=0.3, help="part of the time from which on every other "
                        "step is taken with weights rounded to four bits")  # fmt: skip
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true", help="compile the model first")
    parser.add_argument("--look-every", type=float, default=60, help="seconds between looks at the held-out items")
    parser.add_argument("--items", type=int, default=480, help="held-out items of each skill")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    ranks = Ranks()
    args.out.mkdir(parents=True, exist_ok=True)

    def log(**facts) -> None:
        line = json.dumps(facts)
        print(line, flush=True)
        with (args.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    # Before anything touches the GPU: these fork.
    seed = args.seed * 100 + ranks.rank
    on_gpu = args.device != "cpu"
    device = f"cuda:{ranks.rank}" if on_gpu else "cpu"
    tokenizer = Tokenizer(args.tokenizer)
    asked = Asked(tokenizer, args.fonts, args.words, args.items, args.workers, device) if ranks.rank == 0 else None
    loader = Loader(
        args.batch, args.workers, seed, args.fonts, args.words, args.tokenizer, device, args.replay, focused_rows
    )
    loader.enter(1)
    if on_gpu:
        torch.cuda.set_device(ranks.rank)
        torch.set_num_threads(2)
    ranks.join(device)
    torch.backends.cuda.matmul.allow_tf32 = True
    model = Idefics3()
    load_into(model, args.begin_with)
    model.to(device)
    torch.manual_seed(seed)
    model.requires_grad_(False)
    text = model.model.text_model
    trained_parts = [text.layers, text.norm]
    for part in trained_parts:
        part.requires_grad_(True)
    step = Step(model, loader, ranks, args, on_gpu)
    if ranks.rank == 0:
        log(trained_parameters=sum(p.numel() for p in step.trainable), ranks=ranks.count)

    def look(layout: str, rounding: bool = False) -> dict[str, float]:
        with step.rounded(rounding):
            return asked.accuracy(model, step.autocast, normalized, layout)

    def save() -> None:
        """The trained weights alone."""
        weights = {name: p.detach().cpu().clone() for name, p in model.named_parameters() if p.requires_grad}
        torch.save({"model": weights}, args.out / "part.pt")
        (args.out / "part.pt").replace(args.out / "newest.pt")

    before: dict[str, dict[str, float]] = {}

    def watch(trained: float) -> None:
        """Figures and fallen skills, and a checkpoint."""
        seen = {layout: look(layout) for layout in WATCHED}
        before.update({} if before else seen)
        fallen = {
            f"{layout}: {skill}": [was, seen[layout][skill]]
            for layout in WATCHED
            for skill, was in before[layout].items()
            if was - seen[layout][skill] > FALLEN
        }
        for layout in WATCHED:
            log(trained=round(trained), layout=layout, **seen[layout])
        log(trained=round(trained), fallen=fallen)
        save()
        if not fallen:
            shutil.copy(args.out / "newest.pt", args.out / "best.pt")

    # Compilation happens in the first step and is not training time.
    started = time.time()
    step.take(0.0, rounding=True)
    step.take(0.0, rounding=False)
    if on_gpu:
        torch.cuda.synchronize()
    if ranks.rank == 0:
        log(compiled_in=round(time.time() - started, 1))
        watch(0)
        log(ready_in=round(time.time() - started, 1))
    seconds, = ranks.agreed(min(args.seconds, (args.until or float("inf")) - time.time()))

    started = time.time()
    trained, steps, shown, shown_steps, looked, losses = 0.0, 0, started, 0, started, []
    while trained < seconds:
        part = trained / seconds
        losses.append(step.take(rate(part), part > args.four_bit_from and steps % 2 == 0))
        steps += 1
        if steps % 8 and on_gpu:
            continue
        trained, = ranks.agreed(time.time() - started)
        if ranks.rank:
            continue
        now = time.time()
        if now - shown > 20:
            speed = (steps - shown_steps) * args.batch * ranks.count / (now - shown)
            log(trained=round(trained), steps=steps, loss=round(torch.stack(losses).mean().item(), 4),
                rows_per_second=round(speed), rows_drawn=loader.chunks_drawn * 64 * ranks.count)  # fmt: skip
            shown, shown_steps, losses = now, steps, []
        # The other processes wait in their next step.
        if now - looked > args.look_every and seconds - trained > args.look_every / 3:
            watch(trained)
            looked = time.time()
    loader.stop()
    if ranks.rank == 0:
        log(done=True, steps=steps, trained=round(trained))
        watch(trained)
        for layout in LAYOUTS:
            if layout not in WATCHED:
                log(layout=layout, **look(layout))
        for layout in WATCHED:
            log(layout=layout, four_bit=True, **look(layout, rounding=True))
        log(finished=True)
    ranks.agreed(0)
    ranks.leave()


if __name__ == "__main__":
    main()
