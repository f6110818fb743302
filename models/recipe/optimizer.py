"""Muon for matrices, AdamW for the rest, and 4-bit rounding for training that knows of it."""

import torch

BLOCK = 32
"""Weights that share a scale in the 4-bit graphs, along the input dimension."""


def orthogonalize(matrices: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """`[n, rows, columns]`: brings all singular values near 1 (Newton-Schulz)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrices.bfloat16() if matrices.is_cuda else matrices.float()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()


class Muon:
    """Momentum, orthogonalized, scaled so that its size matches AdamW's steps. Equal shapes are done together."""

    def __init__(self, parameters, weight_decay: float, momentum: float = 0.95):
        by_shape: dict[tuple, list] = {}
        for p in parameters:
            by_shape.setdefault(tuple(p.shape), []).append(p)
        self.groups = [(ps, torch.zeros(len(ps), *shape, device=ps[0].device)) for shape, ps in by_shape.items()]
        self.weight_decay = weight_decay
        self.momentum = momentum

    @torch.no_grad()
    def step(self, lr: float) -> None:
        for parameters, buffer in self.groups:
            gradients = torch.stack([p.grad for p in parameters])
            buffer.lerp_(gradients, 1 - self.momentum)
            update = orthogonalize(torch.lerp(gradients, buffer, self.momentum))
            scale = 0.2 * max(buffer.shape[-2:]) ** 0.5
            torch._foreach_mul_(parameters, 1 - lr * self.weight_decay)
            torch._foreach_add_(parameters, list(update.unbind(0)), alpha=-lr * scale)

    def state(self):
        return [buffer.bfloat16() for _, buffer in self.groups]

    def load(self, state) -> None:
        for (_, buffer), saved in zip(self.groups, state):
            buffer.copy_(saved)


def four_bit(weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`[..., rows, columns]` → levels 0 to 15 in blocks `[..., blocks, 32]` and their scales, 8 standing for zero."""
    blocks = weights.reshape(*weights.shape[:-1], -1, BLOCK)
    extreme = blocks.gather(-1, blocks.abs().argmax(-1, keepdim=True))
    scales = extreme / -8
    safe = torch.where(scales == 0, torch.ones_like(scales), scales)
    levels = (torch.round(blocks / safe) + 8).clamp(0, 15)
    return levels, scales


def rounded(weights: torch.Tensor) -> torch.Tensor:
    """What the 4-bit graphs compute with."""
    levels, scales = four_bit(weights)
    return ((levels - 8) * scales).reshape(weights.shape)


class FourBitWeights:
    """Inside `with`, the matrices are rounded; gradients taken there act on the true ones."""

    def __init__(self, parameters):
        by_shape: dict[tuple, list] = {}
        for p in parameters:
            by_shape.setdefault(tuple(p.shape), []).append(p)
        self.groups = list(by_shape.values())

    @torch.no_grad()
    def __enter__(self):
        self.saved = []
        for group in self.groups:
            true = torch.stack([p.data for p in group])
            self.saved.append(true)
            copy(group, rounded(true))

    @torch.no_grad()
    def __exit__(self, *_):
        for group, true in zip(self.groups, self.saved):
            copy(group, true)


def copy(parameters, values: torch.Tensor) -> None:
    for parameter, value in zip(parameters, values.unbind(0)):
        parameter.data.copy_(value)
