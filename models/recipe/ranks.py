"""One process for each GPU: what they share."""

import os

import torch
import torch.distributed as dist


class Ranks:
    """Call `join` when the workers are forked and the GPU is chosen."""

    def __init__(self):
        self.rank, self.count = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.device = "cpu"

    def join(self, device: str) -> None:
        self.device = device
        if self.count > 1:
            dist.init_process_group("gloo" if device == "cpu" else "nccl")

    def leave(self) -> None:
        if self.count > 1:
            dist.destroy_process_group()

    def share_gradients(self, parameters: list[torch.nn.Parameter]) -> None:
        """Their mean over all processes, in all of them."""
        if self.count > 1:
            gradients = [p.grad for p in parameters]
            flat = torch.cat([g.flatten() for g in gradients])
            dist.all_reduce(flat)
            flat /= self.count
            torch._foreach_copy_(gradients, [part.view_as(g) for part, g in zip(flat.split([g.numel() for g in gradients]), gradients)])

    def agreed(self, *numbers: float) -> list[float]:
        """The first process's numbers, in all of them."""
        told = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        if self.count > 1:
            dist.broadcast(told, 0)
        return told.tolist()
