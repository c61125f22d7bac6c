"""refine.refine on a CPU by the exported loop, which there is several times faster than torch."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch

from roomcad_core.engine import make_engine
from roomcad_offline.multi_sparc.export import save_loop
from roomcad_offline.multi_sparc.export_loop import input_shapes
from roomcad_offline.multi_sparc.pose import Pose


class ExportedRefine:
    """A network's loops in float32, one for each number of updates, made when first asked for."""

    def __init__(self, network, size, engine="auto"):
        """`network`: MultiSparc; `size`: height, width of its maps; `engine`: see make_engine."""
        self.network, self._size, self._engine = network, size, engine
        self._loops = {}

    def __call__(self, batch, pose, n):
        """Refined poses and their logits, as of refine.refine.

        Args:
            batch: Batch of B images (or anything with its fields).
            pose: Pose with leading axes (B, initialisations, M).
            n: number of updates.

        Returns:
            Pose (B, initialisations, M) and logits of sigma (B, initialisations, M).
        """
        if n not in self._loops:
            self._loops[n] = self._load(n)
        loop, names = self._loops[n], input_shapes(self.network.config, *self._size)
        found = [loop(_feeds(batch, pose, image, names)) for image in range(len(pose.T))]
        T, R, S, logit = (torch.from_numpy(np.stack(x)) for x in zip(*found, strict=True))
        return Pose(T, R, S), logit

    def _load(self, n):
        """Function of feeds to (T, R, S, logit) arrays."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "loop.onnx"
            save_loop(self.network, n, path, self._size)
            engine = make_engine(path, self._engine, torch.get_num_threads(), "f32")

        def run(feeds):
            out = engine(feeds)
            return out["T_out"], out["R_out"], out["S_out"], out["logit"]

        return run


def _feeds(batch, pose, image, names):
    """{input name: array} of one image of a Batch and its poses."""
    poses = {"T": pose.T, "R": pose.R, "S": pose.S}
    tensors = {n: (poses[n] if n in poses else getattr(batch, n))[image] for n in names}
    arrays = {n: np.ascontiguousarray(t.detach().cpu().numpy()) for n, t in tensors.items()}
    return {n: a.astype(names[n][0], copy=False) for n, a in arrays.items()}
