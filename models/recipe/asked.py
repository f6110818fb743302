"""
Accuracy on held-out questions as `npm run eval` asks them, in pictures of other seeds: one question of an item stands
beside its picture, so that text before the picture is really that.
"""

import io
from multiprocessing import get_context
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image

from conversation import LENGTH, encode_row
from data.chart_pictures import draw_chart
from data.charts import Chart, _ask_color
from data.common import ASKED, PICTURE, Row, Turn
from data.documents import as_square
from data.mixture import load_texts
from held_out import LAYOUTS
from make_eval import Pack, build
from tokenizer import PAD, Tokenizer

ROWS = 256
"""Of one call of the model."""

Item = tuple[list[int], list[Turn], str | None]


def _drawn(fonts: Path, words: Path, count: int, seed: int) -> tuple[list[bytes], dict[str, list[Item]]]:
    """Pictures as files, and by skill the pictures' numbers, the turns, and the system message if the item has its own."""
    pack: Pack = build(fonts, words, count, seed)
    sets: dict[str, list[Item]] = {
        skill: [(i["images"], [Turn(t["question"], t["expected"], skill) for t in i["turns"]], i.get("system")) for i in items]
        for skill, items in pack.skills.items()
    }
    rng = Random(seed + 1)
    texts = load_texts(fonts, words, test=True)
    for kind in ("bar", "pie"):
        for _ in range(count // 2):
            chart = Chart(rng, kind=kind)
            image = pack.add(draw_chart(rng, chart, texts), lossy=False)
            sets.setdefault("chart-color", []).append(([image], [Turn(*_ask_color(rng, chart), "chart-color")], None))
    return pack.files, sets


class Asked:
    """An item counts when every token of its answers is the most likely one after the right tokens before it."""

    def __init__(self, tokenizer: Tokenizer, fonts: Path, words: Path, items: int, processes: int, device: str):
        """
        `items` of each skill, or a few less. They are drawn in processes of their own, which fork: make this before anything
        touches the GPU. Training can begin meanwhile.
        """
        self.tokenizer, self.device = tokenizer, device
        each = max(4, round(items / processes))
        jobs = [(fonts, words, each, 31_000 + i) for i in range(min(processes, max(1, items // each)))]
        self.pool = get_context("fork").Pool(len(jobs))
        self.drawing = self.pool.starmap_async(_drawn, jobs, chunksize=1)
        self.sets: dict[str, list[Item]] = {}
        self.encoded: dict[tuple, tuple[torch.Tensor, ...]] = {}

    def _collect(self) -> None:
        pictures: list[np.ndarray] = []
        for files, sets in self.drawing.get():
            base = len(pictures)
            pictures += [np.asarray(as_square(Image.open(io.BytesIO(f)).convert("RGB"))) for f in files]
            for skill, items in sets.items():
                moved = [([base + i for i in images], turns, system) for images, turns, system in items]
                self.sets.setdefault(skill, []).extend(moved)
        self.pool.terminate()
        self.pictures = torch.from_numpy(np.stack(pictures)).to(self.device)

    @torch.no_grad()
    def accuracy(self, model, autocast, normalized, layout: str, skills: list[str] | None = None) -> dict[str, float]:
        if not self.sets:
            self._collect()
        right: dict[str, list[bool]] = {}
        for skill in skills or self.sets:
            for pictures in (0, 1, 2):
                items = [item for item in self.sets[skill] if len(item[0]) == pictures]
                for start in range(0, len(items), ROWS):
                    key = (layout, skill, pictures, start)
                    if key not in self.encoded:
                        self.encoded[key] = self._encoded(layout, items[start : start + ROWS], pictures)
                    right.setdefault(skill, []).extend(self._right(model, autocast, normalized, pictures, *self.encoded[key]))
        return {skill: round(100 * sum(r) / len(r), 1) for skill, r in sorted(right.items())}

    def _encoded(self, layout: str, items: list[Item], pictures: int) -> tuple[torch.Tensor, ...]:
        """Ids, where answers are predicted (row, place), and which pictures: the first ones of all rows, then second ones."""
        system, picture_first = LAYOUTS[layout]
        shown = [PICTURE] * pictures
        ids = torch.full((len(items), LENGTH), PAD)
        marks = torch.zeros(len(items), LENGTH, dtype=torch.long)
        for i, (images, turns, own) in enumerate(items):
            row = Row(images, turns, 0.0, own or system, [*shown, ASKED] if picture_first else [ASKED, *shown])
            row_ids, row_marks = encode_row(self.tokenizer, row)
            ids[i, : len(row_ids)] = torch.tensor(row_ids)
            marks[i, : len(row_marks)] = torch.tensor(row_marks)
        wanted = [images[j] for j in range(pictures) for images, *_ in items] or [0] * len(items)
        return tuple(t.to(self.device) for t in (ids, (marks[:, :-1] > 0).nonzero(), torch.tensor(wanted)))

    def _right(self, model, autocast, normalized, pictures: int, ids, chosen, wanted) -> list[bool]:
        with autocast():
            logits = model(
                normalized(self.pictures[wanted]), ids, len(ids) if pictures == 2 else 0, chosen[:, 0] * LENGTH + chosen[:, 1]
            )
        wrong = logits.argmax(-1) != ids[chosen[:, 0], chosen[:, 1] + 1]
        missed = torch.zeros(len(ids), dtype=torch.bool, device=self.device)
        missed[chosen[wrong, 0]] = True
        return (~missed).tolist()
