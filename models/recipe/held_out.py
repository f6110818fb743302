"""Accuracy on held-out pictures while training runs, and at its end for every layout."""

from random import Random

import numpy as np
import torch

from conversation import LENGTH, encode_row
from data.chart_pictures import chart_row
from data.common import ASKED, PICTURE, SIDE, Turn
from data.compare import compare_row
from data.document_talk import document_row
from data.photos import photo_row
from data.reading import reading_row
from data.scenes import scene_row
from data.smalltalk import smalltalk_row
from data.wordings import reworded
from tokenizer import PAD, Tokenizer

HELPFUL, BRIEF = "You are a helpful assistant.", "Be brief."
LAYOUTS = {
    "picture, text": (None, True),
    "text, picture": (None, False),
    "helpful + picture, text": (HELPFUL, True),
    "brief + picture, text": (BRIEF, True),
    "helpful + text, picture": (HELPFUL, False),
}


class HeldOut:
    """An answer counts when every token of it is the most likely one after the right tokens before it."""

    def __init__(self, tokenizer: Tokenizer, texts, rows: int, device: str, layout: str = "picture, text", unseen: bool = False):
        makers = {
            "reading": lambda rng: reading_row(rng, texts),
            "scene": scene_row,
            "chart": lambda rng: chart_row(rng, texts),
            "document": lambda rng: document_row(rng, texts),
            "photo": photo_row,
            "smalltalk": lambda rng: smalltalk_row(rng, texts),
            "compare": lambda rng: compare_row(rng, texts),
        }
        system, picture_first = LAYOUTS[layout]
        rng = Random(987_654_321)
        self.sets = []
        for name, make in makers.items():
            made = [make(rng) for _ in range(rows)]
            pixels = np.zeros((rows * (2 if name == "compare" else 1), SIDE, SIDE, 3), np.uint8)
            ids = torch.full((rows, LENGTH), PAD)
            marks = torch.zeros(rows, LENGTH, dtype=torch.long)
            for i, row in enumerate(made):
                row.system = system
                shown = [PICTURE] * len(row.images)
                row.parts = [*shown, ASKED] if picture_first else [ASKED, *shown]
                for j, image in enumerate(row.images):
                    pixels[i + j * rows] = np.asarray(image)
                if unseen:
                    row.turns = [
                        Turn(reworded(rng, t.question, unseen=True) or t.question, t.answer, t.skill) for t in row.turns
                    ]
                row_ids, row_marks = encode_row(tokenizer, row)
                ids[i, : len(row_ids)] = torch.tensor(row_ids)
                marks[i, : len(row_marks)] = torch.tensor(row_marks)
            noise = torch.tensor([r.noise for r in made] * (2 if name == "compare" else 1), dtype=torch.float32)
            skills = [[t.skill for t in r.turns] for r in made]
            tensors = (t.to(device) for t in (torch.from_numpy(pixels), noise, ids, marks))
            self.sets.append((name, *tensors, skills))

    @torch.no_grad()
    def accuracy(self, model, autocast, normalized) -> dict[str, float]:
        right: dict[str, list[bool]] = {}
        for name, pixels, noise, ids, marks, skills in self.sets:
            rows = ids.shape[0]
            with autocast():
                logits = model(normalized(pixels, noise), ids, rows if name == "compare" else 0)
            wrong = (logits.view(rows, LENGTH, -1)[:, :-1].argmax(-1) != ids[:, 1:]).cpu().numpy()
            at = marks[:, :-1].cpu().numpy()
            for i in range(rows):
                for turn in range(1, at[i].max() + 1):
                    right.setdefault(skills[i][turn - 1], []).append(not wrong[i][at[i] == turn].any())
        return {skill: round(100 * sum(r) / len(r), 1) for skill, r in sorted(right.items())}
