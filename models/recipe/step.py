"""One step of training, for `train.py` and `tune.py`: loss, gradients of all processes, both optimizers."""

import contextlib

import torch
import torch.nn.functional as F

from conversation import LENGTH
from loader import Loader
from model import Idefics3
from optimizer import FourBitWeights, Muon
from ranks import Ranks

ANSWER_SHARE = 0.18
"""Tokens of a batch that are to be learned, at most; what is over is left out."""


def normalized(pixels: torch.Tensor, noise: torch.Tensor | None = None) -> torch.Tensor:
    """`[n, side, side, 3]` bytes → `[n, 3, side, side]` from -1 to 1."""
    x = pixels.permute(0, 3, 1, 2).float()
    if noise is not None:
        x = (x + torch.randn_like(x) * noise[:, None, None, None]).clamp(0, 255)
    return (x / 127.5 - 1).contiguous()


def matrices_of(model: Idefics3) -> list[torch.nn.Parameter]:
    return [m.weight for m in model.modules() if isinstance(m, torch.nn.Linear)]


class Step:
    """Trains what of the model requires gradients: matrices with Muon, everything else with AdamW.

    `args` are those of the command line: `batch` (rows of each process), `lr`, `lr_rest` (peaks), `weight_decay`, `compile`.
    """

    def __init__(self, model: Idefics3, loader: Loader, ranks: Ranks, args, on_gpu: bool):
        self.model, self.loader, self.ranks, self.args, self.on_gpu = model, loader, ranks, args, on_gpu
        self.trainable = [p for p in model.parameters() if p.requires_grad]
        matrices = [m for m in matrices_of(model) if m.requires_grad]
        known = {id(p) for p in matrices}
        self.rest = [p for p in self.trainable if id(p) not in known]
        self.muon = Muon(matrices, args.weight_decay)
        fused = {"fused": True} if on_gpu else {}
        self.adam = torch.optim.AdamW(self.rest, lr=0.0, betas=(0.9, 0.98), weight_decay=0.0, **fused)
        # All matrices, those that stay as they are too: a 4-bit decoder gets what a 4-bit vision encoder sees.
        self.four_bit = FourBitWeights(matrices_of(model))
        self.most = int(args.batch * LENGTH * ANSWER_SHARE)

        def loss_of(pixels, ids, chosen, wanted):
            with self.autocast():
                logits = model(pixels, ids, loader.doubles, chosen)
            return F.cross_entropy(logits.float(), wanted, ignore_index=-100)

        self.loss = torch.compile(loss_of) if args.compile else loss_of

    def autocast(self):
        return torch.autocast("cuda", dtype=torch.bfloat16) if self.on_gpu else contextlib.nullcontext()

    def rounded(self, rounding: bool):
        """A context in which matrices have four bits, where that is wanted."""
        return self.four_bit if rounding else contextlib.nullcontext()

    def take(self, at_rate: float, rounding: bool) -> torch.Tensor:
        """At this share of the peak rates, on the loader's next batch; returns the loss."""
        pixels, noise, ids, marks = self.loader.next()
        marks = marks.clone()
        marks[:, -1] = 0
        flat = (marks > 0).flatten()
        chosen = flat.to(torch.uint8).argsort(descending=True, stable=True)[: self.most]
        following = torch.cat([ids[:, 1:], ids[:, :1]], dim=1).flatten()
        wanted = torch.where(flat[chosen], following[chosen], -100)
        with self.rounded(rounding):
            loss = self.loss(normalized(pixels, noise), ids, chosen, wanted)
            loss.backward()
        self.ranks.share_gradients(self.trainable)
        torch.nn.utils.clip_grad_norm_(self.rest, 1.0)
        self.muon.step(self.args.lr * at_rate)
        for group in self.adam.param_groups:
            group["lr"] = self.args.lr_rest * at_rate
        self.adam.step()
        self.model.zero_grad(set_to_none=True)
        return loss.detach()
