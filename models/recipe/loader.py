"""Worker processes that draw rows into shared memory, and the batches made of them."""

import multiprocessing as mp
import os
import queue
import random
import threading
from pathlib import Path
from random import Random
from typing import Callable, Iterator

import numpy as np
import torch

from conversation import LENGTH, encode_row
from data.charts import Steps
from data.common import SIDE, Row
from data.mixture import COMPARE_SHARE, double_row, load_texts
from data.reading import Texts
from tokenizer import PAD, Tokenizer

CHUNK = 64
DOUBLES = round(CHUNK * COMPARE_SHARE)
IMAGES = CHUNK + DOUBLES

SingleRows = Callable[[Random, Texts, Callable[[], bool]], Iterator[Row]]
"""Endless rows with one picture or none; the function says whether names that do not occur are asked for."""


class Slot:
    """Room for one chunk: `DOUBLES` rows with two pictures first, then rows with one."""

    def __init__(self):
        self.pixels = torch.zeros(IMAGES, SIDE, SIDE, 3, dtype=torch.uint8).share_memory_()
        self.noise = torch.zeros(IMAGES, dtype=torch.float32).share_memory_()
        self.ids = torch.zeros(CHUNK, LENGTH, dtype=torch.int16).share_memory_()
        self.marks = torch.zeros(CHUNK, LENGTH, dtype=torch.uint8).share_memory_()


def fill(slot: Slot, rng: Random, tokenizer: Tokenizer, texts: Texts, singles: Iterator[Row]) -> None:
    pixels, noise = slot.pixels.numpy(), slot.noise.numpy()
    ids, marks = slot.ids.numpy(), slot.marks.numpy()
    ids.fill(PAD)
    marks.fill(0)
    for i in range(CHUNK):
        row = double_row(rng, texts) if i < DOUBLES else next(singles)
        for j, image in enumerate(row.images):
            place = i if j == 0 else CHUNK + i
            pixels[place] = np.asarray(image)
            noise[place] = row.noise
        row_ids, row_marks = encode_row(tokenizer, row)
        ids[i, : len(row_ids)] = row_ids
        marks[i, : len(row_marks)] = row_marks


def work(
    seed: int, slots: list[Slot], free, full, stage, fonts: Path, words: Path, tokenizer_path: Path, rows: SingleRows
) -> None:
    torch.set_num_threads(1)
    os.nice(2)
    rng = Random(seed)
    texts = load_texts(fonts, words, test=False)
    tokenizer = Tokenizer(tokenizer_path)
    # 1: names that do not occur are asked for. 2: answers about named bars show their steps.
    singles = rows(rng, texts, lambda: bool(stage.value & 1))
    while True:
        index = free.get()
        if index is None:
            return
        Steps.shown = bool(stage.value & 2)
        fill(slots[index], rng, tokenizer, texts, singles)
        full.put(index)


class Loader:
    """
    An endless stream of batches `(pixels uint8, noise, ids, marks)` on the device, doubles first. With `replay`, rows
    are kept, and a batch is made of kept ones whenever no fresh batch is ready.
    """

    def __init__(
        self, batch: int, workers: int, seed: int, fonts: Path, words: Path, tokenizer: Path, device: str, replay: int,
        rows: SingleRows,
    ):  # fmt: skip
        if batch % CHUNK:
            raise ValueError(f"the batch must be a multiple of {CHUNK}")
        self.chunks = batch // CHUNK
        self.device = device
        count = max(3 * self.chunks, 2 * workers)
        self.slots = [Slot() for _ in range(count)]
        context = mp.get_context("fork")
        self.free, self.full = context.SimpleQueue(), context.SimpleQueue()
        for i in range(count):
            self.free.put(i)
        self.stage = context.Value("i", 0)
        args = (self.slots, self.free, self.full, self.stage, fonts, words, tokenizer, rows)
        self.workers = [
            context.Process(target=work, args=(seed * 1000 + i, *args), daemon=True) for i in range(workers)
        ]
        for worker in self.workers:
            worker.start()
        self.ready: queue.Queue = queue.Queue(maxsize=3)
        self.chunks_drawn = 0
        self.kept: list[dict] = []
        self.keep = replay // batch
        self.batches = 0
        threading.Thread(target=self._feed, daemon=True).start()

    @property
    def doubles(self) -> int:
        return self.chunks * DOUBLES

    def _feed(self) -> None:
        while True:
            taken = [self.full.get() for _ in range(self.chunks)]
            slots = [self.slots[i] for i in taken]
            cut = {
                "pixels": [s.pixels[:CHUNK] for s in slots],
                "noise": [s.noise[:CHUNK] for s in slots],
                "ids": [s.ids for s in slots],
                "marks": [s.marks for s in slots],
            }
            batch = {}
            for name, parts in cut.items():
                # Rows with two pictures to the front of the batch, their second pictures to its end.
                ordered = [p[:DOUBLES] for p in parts] + [p[DOUBLES:] for p in parts]
                if name in ("pixels", "noise"):
                    ordered += [getattr(s, name)[CHUNK:] for s in slots]
                joined = torch.cat(ordered)
                if self.device != "cpu":
                    joined = joined.pin_memory()
                batch[name] = joined
            for i in taken:
                self.free.put(i)
            self.chunks_drawn += len(taken)
            self.ready.put(batch)

    def next(self):
        # Some variety first: replaying a handful of batches would teach them by heart.
        if len(self.kept) < self.keep // 10 or not self.ready.empty() or self.keep == 0:
            batch = {name: t.to(self.device, non_blocking=True) for name, t in self.ready.get().items()}
            if self.keep:
                self.kept.append(batch) if len(self.kept) < self.keep else self._replace(batch)
            self.batches += 1
        else:
            batch = self._mixed()
        return batch["pixels"], batch["noise"], batch["ids"].long(), batch["marks"]

    def _replace(self, batch) -> None:
        self.kept[self.batches % self.keep] = batch

    def _mixed(self) -> dict:
        """A row of a batch is taken from any of eight kept batches, each row at its own place."""
        parents = random.sample(self.kept, 8)
        rows, doubles = self.chunks * CHUNK, self.doubles
        parent = torch.randint(8, (rows,), device=self.device)
        images = torch.cat([parent, parent[:doubles]])
        mixed = {}
        for name in ("pixels", "noise", "ids", "marks"):
            choice = images if name in ("pixels", "noise") else parent
            out = torch.empty_like(parents[0][name])
            for i, kept in enumerate(parents):
                picked = (choice == i).view(-1, *[1] * (out.dim() - 1))
                out = torch.where(picked, kept[name], out)
            mixed[name] = out
        return mixed

    def enter(self, stage: int) -> None:
        """What is drawn from now on; what was kept is forgotten."""
        if stage != self.stage.value:
            self.stage.value = stage
            self.kept.clear()

    def stop(self) -> None:
        for worker in self.workers:
            worker.terminate()
