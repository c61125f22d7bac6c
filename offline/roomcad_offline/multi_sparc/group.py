"""A group of training processes, one a GPU, as torchrun starts it; or one process alone."""

import os
from dataclasses import dataclass

import torch
from torch import distributed


@dataclass(frozen=True)
class Group:
    """This process and how many there are."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0  # number of this process on its machine: which GPU it takes

    @property
    def leads(self):
        """Whether this process judges and writes files."""
        return self.rank == 0

    @torch.no_grad()
    def average_gradients(self, parameters):
        """Replace all gradients by their mean over the group, in one message."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        distributed.all_reduce(flat)
        parts = (flat / self.size).split([g.numel() for g in gradients])
        for gradient, mean in zip(gradients, parts, strict=True):
            gradient.copy_(mean.view_as(gradient))

    def wait(self):
        """Return once all processes are here."""
        if self.size > 1:
            distributed.barrier()


def join_group(device):
    """The Group that torchrun's environment tells of, and the device of this process.

    Args:
        device: "cpu" or "cuda"; of several GPUs each process takes its own.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Group(), device
    local_rank = int(os.environ["LOCAL_RANK"])
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    if device == "cuda":
        device = f"cuda:{local_rank}"
        torch.cuda.set_device(device)
    return Group(int(os.environ["RANK"]), size, local_rank), device
