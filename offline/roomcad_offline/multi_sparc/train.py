"""Synthetic pre-training of Multi-SPARC: scenes without end, three carried refinements of each.

Three quarters of the images teach updates, the others the judgement of poses (the paper,
supplement B); after every pass the optimiser takes a step. Not in the paper: towards the end, some
of the poses that are judged can be the network's own results, which are what sigma chooses among.
"""

import copy
import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from tqdm import tqdm

from roomcad_offline.multi_sparc.config import preset
from roomcad_offline.multi_sparc.curves import draw_curves
from roomcad_offline.multi_sparc.group import Group
from roomcad_offline.multi_sparc.inputs import sample_pattern, view_of
from roomcad_offline.multi_sparc.judge import judge
from roomcad_offline.multi_sparc.lamb import Lamb
from roomcad_offline.multi_sparc.losses import training_losses
from roomcad_offline.multi_sparc.network import MultiSparc
from roomcad_offline.multi_sparc.pose import Pose
from roomcad_offline.multi_sparc.refine import initial_pose, predict, refine
from roomcad_offline.multi_sparc.sampling import SamplingConfig, classifier_poses, update_poses
from roomcad_offline.pointnet.allocator import keep_buffers


@dataclass(frozen=True)
class TrainConfig:
    """How a network is pre-trained; `preset` names its architecture and inputs."""

    preset: str = "live"
    steps: int = 100_000  # batches of new images, the paper: 500,000 batches of 20
    images: int = 20  # images of a batch
    refinements: int = 3  # passes over each batch, each followed by an optimiser step
    judged_share: float = 0.25  # of the images teach the judgement
    own_share: float = 0.0  # of these, while the rate falls, with results of initialisations
    learning_rate: float = 1e-3
    warm_up: int = 500  # steps over which the learning rate rises
    cool_down: float = 0.3  # share of the steps at the end over which it falls to zero
    clip: float = 1.0  # largest norm of the gradient
    average: float = 0.999  # decay of the averaged weights, which are judged and shipped
    bf16: bool = True
    seed: int = 0
    save_every: int = 200  # steps
    judge_every: int = 2000  # steps
    judged_images: int = 200  # images of the fixed validation scenes
    sampling: SamplingConfig = field(default_factory=SamplingConfig)


class Trainer:
    """One run in a folder (config.json, log.csv, curves.png, checkpoint.pt); goes on where it
    stopped. In a Group each process has `images` images of its own in every step."""

    def __init__(
        self, config, scenes, validation, folder, group=None, model=None, start=None, about=None
    ):
        """`scenes`: SceneGenerator or Mixture; `validation`: Batches that are judged on; `model`:
        ModelConfig where it is no preset; `start`: weights (a state_dict) to go on from; `about`:
        further entries of config.json, {name: plain value}."""
        keep_buffers()
        torch.manual_seed(config.seed)
        self.config, self.scenes, self.validation = config, scenes, validation
        self.folder = Path(folder)
        self.group = group or Group()
        self.network = MultiSparc(model or preset(config.preset)).to(scenes.bank.device)
        if start is not None:
            self.network.load_state_dict(start)
        self.averaged = copy.deepcopy(self.network).requires_grad_(False)
        self.optimiser = Lamb(self.network.parameters(), learning_rate=config.learning_rate)
        inputs = self.network.config.inputs
        self.pattern = sample_pattern(inputs.n_bbox).to(scenes.bank.device)
        self.step, self.log = 0, []
        if self.group.leads:
            self._claim(about or {})
        self.group.wait()
        self._resume()

    def run(self):
        """Train to the last step; returns the log rows."""
        bar = tqdm(total=self.config.steps, initial=self.step, desc=self.folder.name, unit="step",
                   disable=not self.group.leads)  # fmt: skip
        start, images, sums = time.perf_counter(), 0, {}
        with bar:
            while self.step < self.config.steps:
                for name, value in self.train_step().items():
                    sums.setdefault(name, []).append(value)
                images += self.config.images * self.group.size
                bar.update()
                if self.step % self.config.save_every and self.step < self.config.steps:
                    continue
                rate = images / (time.perf_counter() - start)
                row = {name: sum(values) / len(values) for name, values in sums.items()}
                if self.group.leads:
                    self._record({"step": self.step, "images_per_second": rate, **row})
                self.group.wait()
                bar.set_postfix({k: f"{v:.3g}" for k, v in row.items()})
                start, images, sums = time.perf_counter(), 0, {}
        return self.log

    def train_step(self):
        """All refinements of one new batch; returns the losses of the last one."""
        config, generator = self.config, torch.Generator(self.scenes.bank.device)
        stream = self.step * self.group.size + self.group.rank
        generator.manual_seed(config.seed * 1_000_003 + stream)
        batch = self.scenes.batch(config.images, self.step)
        judged = torch.arange(config.images, device=batch.device) < self._n_judged
        view = view_of(batch)
        moved = update_poses(batch, config.sampling, self.pattern, generator)
        own = self._own_poses(batch, generator)
        self._set_rate()
        self.network.train()
        for turn in range(config.refinements):
            fresh = _replaced(classifier_poses(batch, generator), own, turn)
            start = Pose(*(_choose(judged, f, m) for f, m in zip(fresh, moved, strict=True)))
            with torch.autocast(batch.device.type, torch.bfloat16, enabled=config.bf16):
                output = predict(self.network, view, start, self.pattern)
            factor = self.network.config.network.scale_factor
            losses = training_losses(output.float(), start, batch, judged, factor)
            self.optimiser.zero_grad()
            losses.total.backward()
            self.group.average_gradients(self.network.parameters())
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.clip)
            self.optimiser.step()
            moved = losses.moved
        self.step += 1
        self._average()
        return {"align": losses.align.item(), "classify": losses.classify.item()}

    @property
    def _n_judged(self):
        return round(self.config.judged_share * self.config.images)

    @property
    def _falling(self):
        """What the learning rate's fall leaves of it; 1 or more before it begins."""
        config = self.config
        return (config.steps - self.step) / max(config.cool_down * config.steps, 1)

    @torch.no_grad()
    def _own_poses(self, batch, generator):
        """Results of the initialisations of the first images, in random order: Pose (A, n, M).

        None unless the learning rate falls: before, the network's results tell nothing yet.
        """
        config = self.config
        n = round(config.own_share * self._n_judged) if self._falling < 1 else 0
        if not n:
            return None
        first = batch[:n]
        start = initial_pose(first, config.sampling.mode, self.pattern)
        with torch.autocast(batch.device.type, torch.bfloat16, enabled=config.bf16):
            found, _ = refine(self.network, first, start, config.refinements, self.pattern)
        order = torch.randperm(start.T.shape[1], generator=generator, device=batch.device)
        return found.map(lambda x: x.transpose(0, 1)[order].to(batch.rgb))

    def _set_rate(self):
        rising = (self.step + 1) / max(self.config.warm_up, 1)
        share = min(rising, self._falling, 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * share

    @torch.no_grad()
    def _average(self):
        # Early on the average follows faster, so that it does not remember the random start.
        decay = min(self.config.average, self.step / (self.step + 10))
        pairs = zip(self.averaged.parameters(), self.network.parameters(), strict=True)
        for mean, now in pairs:
            mean.lerp_(now, 1 - decay)

    def _record(self, row):
        """Judge where it is time, save the checkpoint, write log.csv."""
        if self.step % self.config.judge_every == 0 or self.step == self.config.steps:
            mode = self.config.sampling.mode
            n = self.config.refinements
            row |= judge(self.averaged, self.validation, mode, n, self.pattern)
        self.log.append(row)
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "log": self.log,
        }
        torch.save(state, self.folder / "checkpoint.pt.new")
        os.replace(self.folder / "checkpoint.pt.new", self.folder / "checkpoint.pt")
        columns = list(dict.fromkeys(name for r in self.log for name in r))
        lines = [",".join(f"{r[c]:.6g}" if c in r else "" for c in columns) for r in self.log]
        (self.folder / "log.csv").write_text("\n".join([",".join(columns), *lines]) + "\n")
        draw_curves(self.folder, self.config.images * self.group.size)

    def _claim(self, about):
        """Write config.json, or check that the folder's run is this one; it may be made longer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "config.json"
        model = asdict(self.network.config)
        wanted = {**asdict(self.config), "model": model, "scenes": asdict(self.scenes.config)}
        wanted |= about
        wanted = json.loads(json.dumps(wanted))
        if path.exists():
            got = json.loads(path.read_text())
            differs = [k for k in {**got, **wanted} if k != "steps" and got.get(k) != wanted.get(k)]
            if differs:
                raise ValueError(f"{path}: holds another run; different: {', '.join(differs)}")
        path.write_text(json.dumps(wanted, indent=1) + "\n")

    def _resume(self):
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=True, map_location=self.scenes.bank.device)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.log = state["step"], state["log"]


def _replaced(fresh, own, turn):
    """Pose (B, M) with the first images' poses replaced by own results number `turn`, if any."""
    if own is None:
        return fresh
    k, n = turn % own.T.shape[0], own.T.shape[1]
    return Pose(*(torch.cat([o[k], f[n:]]) for o, f in zip(own, fresh, strict=True)))


def _choose(judged, fresh, moved):
    """Per image (B,) the fresh pose where it is judged, the carried one elsewhere."""
    return torch.where(judged.view(-1, *[1] * (moved.ndim - 1)), fresh, moved)
