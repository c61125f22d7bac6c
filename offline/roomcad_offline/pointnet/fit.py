"""The training loop: Adam with a cosine schedule, products in bfloat16, resumable."""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from roomcad_offline.pointnet.allocator import keep_buffers


@dataclass(frozen=True)
class FitConfig:
    """How a network is fitted; the defaults are the scan-gap post's."""

    epochs: int = 200
    batch: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    seed: int = 42
    bf16: bool = True  # products in bfloat16, everything else in float32
    save_every: int = 5  # epochs between checkpoints


def fit(network, epoch_batches, loss_of, config, folder, description=None,
        after_epoch=None, after_save=None, rates=None):  # fmt: skip
    """Fit a network, going on from the checkpoint in `folder` if there is one.

    Args:
        network: torch module; its weights are changed in place.
        epoch_batches: function of a NumPy generator; yields the batches of one epoch.
        loss_of: function (network, batch) -> (loss, {name: number to report}).
        config: FitConfig.
        folder: gets config.json, log.csv and checkpoint.pt.
        description: further entries of config.json.
        after_epoch: function of the network; {name: number} for the epoch's log row.
        after_save: function of the folder, called whenever log.csv was written.
        rates: {start of parameters' names: share of the learning rate}; 0 = they stay.

    Returns:
        The list of log rows, one an epoch.

    Raises:
        ValueError: the folder holds a run with another configuration.
    """
    keep_buffers()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder / "config.json", {**asdict(config), **(description or {})})
    optimiser = torch.optim.Adam(
        groups(network, config.learning_rate, rates or {}), weight_decay=config.weight_decay,
        fused=True,
    )  # fmt: skip
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.epochs)
    log = _resume(folder, network, optimiser, schedule)
    rest = range(len(log), config.epochs)
    bar = tqdm(rest, folder.name, config.epochs, unit="epoch", initial=len(log))
    for epoch in bar:
        # Each epoch has its own generators, so that a resumed run is the run itself.
        torch.manual_seed(config.seed + epoch)
        rng = np.random.default_rng([config.seed, epoch])
        row = _epoch(network, epoch_batches(rng), loss_of, optimiser, config)
        schedule.step()
        if after_epoch is not None:
            row |= after_epoch(network)
        log.append({"epoch": epoch, **row})
        bar.set_postfix({k: f"{v:.3g}" for k, v in row.items()})
        if (epoch + 1) % config.save_every == 0 or epoch + 1 == config.epochs:
            _save(folder, network, optimiser, schedule, log)
            if after_save is not None:
                after_save(folder)
    return log


def groups(network, rate, rates):
    """Parameter groups for an optimiser; rates: as fit takes them."""
    found = {}
    for name, parameter in network.named_parameters():
        share = next((s for start, s in rates.items() if name.startswith(start)), 1.0)
        parameter.requires_grad_(share > 0)
        if share > 0:
            found.setdefault(share, []).append(parameter)
    return [{"params": some, "lr": share * rate} for share, some in found.items()]


def _epoch(network, batches, loss_of, optimiser, config):
    """One pass; returns the means of loss and reported numbers, and clouds per second."""
    network.train()
    start, clouds, sums = time.perf_counter(), 0, {}
    for batch in batches:
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bf16):
            loss, report = loss_of(network, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        size = len(batch[0])
        clouds += size
        for name, value in {"loss": loss.item(), **report}.items():
            sums[name] = sums.get(name, 0.0) + size * float(value)
    if not clouds:
        raise ValueError("an epoch without a single batch: is the training set empty?")
    rate = clouds / (time.perf_counter() - start)
    return {**{k: v / clouds for k, v in sums.items()}, "clouds_per_second": round(rate, 1)}


def _claim(path, wanted):
    """Write config.json, or check that the run there is the same one."""
    text = json.dumps(wanted, indent=1, sort_keys=True, default=str) + "\n"
    if path.exists() and path.read_text() != text:
        raise ValueError(f"{path.parent}: holds a run with another config.json; remove it first")
    path.write_text(text)


def _resume(folder, network, optimiser, schedule):
    """Load checkpoint.pt if there is one; returns the log so far."""
    path = folder / "checkpoint.pt"
    if not path.exists():
        return []
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    return state["log"]


def _save(folder, network, optimiser, schedule, log):
    """Checkpoint and log.csv, replaced in one step each."""
    state = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "schedule": schedule.state_dict(),
        "log": log,
    }
    torch.save(state, folder / "checkpoint.pt.new")
    os.replace(folder / "checkpoint.pt.new", folder / "checkpoint.pt")
    lines = [",".join(log[0]), *(",".join(f"{v:.6g}" for v in row.values()) for row in log)]
    (folder / "log.csv").write_text("\n".join(lines) + "\n")
