"""Training of a depth or normal network: AdamW, the 1cycle policy, a negative log-likelihood."""

import itertools
import json
import os
import time
from dataclasses import asdict
from pathlib import Path

import torch
from tqdm import tqdm

from roomcad_offline.multi_sparc.group import Group
from roomcad_offline.pointnet.allocator import keep_buffers
from roomcad_offline.rgb_geometry.curves import draw_curves
from roomcad_offline.rgb_geometry.encoders import load_torchvision
from roomcad_offline.rgb_geometry.evaluate import judge
from roomcad_offline.rgb_geometry.losses import task_loss
from roomcad_offline.rgb_geometry.network import GeometryNetwork
from roomcad_offline.rgb_geometry.samples import batches, steps_per_epoch
from roomcad_offline.rgb_geometry.trivial import fit_trivial, read_trivial, write_trivial

CHECKPOINT, TRIVIAL, CONFIG = "checkpoint.pt", "trivial.json", "config.json"


class Trainer:
    """One run in a folder (config.json, trivial.json, log.csv, curves.png, checkpoint.pt).

    It goes on where it stopped. In a Group each process has `images` images of its own in a step.
    """

    def __init__(self, config, training, validation, folder, group=None, device="cpu",
                 encoder_weights=None, about=None, workers=0):  # fmt: skip
        """`training`, `validation`: Samples; `encoder_weights`: Path of a safetensors file or None;
        `about`: further entries of config.json, {name: plain value}; `workers`: processes that
        read images, 0 = this one."""
        keep_buffers()
        torch.manual_seed(config.seed)
        self.config, self.training, self.validation = config, training, validation
        self.folder, self.workers, self.device = Path(folder), workers, device
        self.group = group or Group()
        self.epoch_steps = steps_per_epoch(len(training), config.images, self.group.size)
        self.steps = config.epochs * self.epoch_steps
        self.network = GeometryNetwork(config.network)
        if encoder_weights is not None:
            load_torchvision(self.network.encoder, encoder_weights)
        self.network.to(device, memory_format=torch.channels_last)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, config.learning_rate, total_steps=self.steps
        )
        self.step, self.log, self._rate = 0, [], 0.0
        if self.group.leads:
            weights = str(encoder_weights) if encoder_weights is not None else None
            self._claim({"encoder_weights": weights, "processes": self.group.size} | (about or {}))
        self.group.wait()
        self._resume()

    def run(self):
        """Train to the last step; returns the log rows."""
        bar = tqdm(total=self.steps, initial=self.step, desc=self.folder.name, unit="step",
                   disable=not self.group.leads)  # fmt: skip
        start, losses = time.perf_counter(), []
        with bar:
            for batch in self._loader():
                losses.append(self.train_step(batch))
                bar.update()
                judged = self.step % self.epoch_steps == 0
                if judged or self.step % self.config.log_every == 0:
                    images = len(losses) * self.config.images * self.group.size
                    row = self._row(losses, images / (time.perf_counter() - start))
                    bar.set_postfix(loss=f"{row['loss']:.3g}")
                    self._record(row, judged)
                    start, losses = time.perf_counter(), []
        return self.log

    def train_step(self, batch):
        """One optimiser step; returns the loss."""
        rgb, truth, _ = (tensor.to(self.device) for tensor in batch)
        self.network.train()
        output = self.network(rgb.contiguous(memory_format=torch.channels_last))
        loss = task_loss(self.config.network.task, output, truth)
        self.optimiser.zero_grad()
        loss.backward()
        self.group.average_gradients(self.network.parameters())
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.optimiser.step()
        self._rate = self.schedule.get_last_lr()[0]
        self.schedule.step()
        self.step += 1
        return loss.item()

    def _loader(self):
        """The batches that are left."""
        group, config = self.group, self.config
        keys = batches(len(self.training), config.images, config.seed, self.step,
                       group.rank, group.size)  # fmt: skip
        keys = itertools.islice(keys, self.steps - self.step)
        return torch.utils.data.DataLoader(
            self.training, batch_sampler=keys, num_workers=self.workers
        )

    def _row(self, losses, rate):
        epoch = self.step / self.epoch_steps
        loss = sum(losses) / len(losses)
        return {"step": self.step, "epoch": epoch, "images_per_second": rate,
                "learning_rate": self._rate, "loss": loss}  # fmt: skip

    def _record(self, row, judged):
        """Judge at the end of an epoch; log; save the checkpoint where it is time."""
        if self.group.leads:
            if judged:
                trivial = read_trivial(self.folder / TRIVIAL)
                most = self.config.judged_images
                found = judge(self.network, self.validation, trivial, most, workers=self.workers)
                row |= {n: v for n, v in found["network"].items() if n != "images"}
            self.log.append(row)
            if (
                judged
                or self.step // self.config.save_every > self._saved // self.config.save_every
            ):
                self._save()
        self.group.wait()

    def _save(self):
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "step": self.step,
            "log": self.log,
        }
        part = self.folder / (CHECKPOINT + ".new")
        torch.save(state, part)
        os.replace(part, self.folder / CHECKPOINT)
        self._saved = self.step
        columns = list(dict.fromkeys(name for r in self.log for name in r))
        lines = [",".join(f"{r[c]:.6g}" if c in r else "" for c in columns) for r in self.log]
        (self.folder / "log.csv").write_text("\n".join([",".join(columns), *lines]) + "\n")
        draw_curves(self.folder, self.config.network.task)

    def _claim(self, about):
        """Write config.json and trivial.json, or check that the folder's run is this one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / CONFIG
        wanted = json.loads(json.dumps({**asdict(self.config), **about}))
        if path.exists():
            got = json.loads(path.read_text())
            differs = [k for k in {**got, **wanted} if got.get(k) != wanted.get(k)]
            if differs:
                raise ValueError(f"{path}: holds another run; different: {', '.join(differs)}")
        path.write_text(json.dumps(wanted, indent=1) + "\n")
        if not (self.folder / TRIVIAL).exists():
            write_trivial(fit_trivial(unchanged(self.training)), self.folder / TRIVIAL)

    def _resume(self):
        self._saved = 0
        path = self.folder / CHECKPOINT
        if not path.exists():
            return
        state = torch.load(path, weights_only=True, map_location=self.device)
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.step = self._saved = state["step"]
        self.log = state["log"]


def unchanged(samples):
    """The same Samples without random changes."""
    return type(samples)(samples.images, samples.network, samples.config)
