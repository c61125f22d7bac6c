"""Frames of the benchmark as a camera without depth gives them: depth and normals are predicted."""

from __future__ import annotations

from dataclasses import replace

import torch

from roomcad_core.config import RgbConfig
from roomcad_core.multi_sparc.start import NO_DEPTH, centre_rays
from roomcad_core.rgb_geometry import RgbGeometry
from roomcad_core.rgb_geometry.geometry import LOADERS, shipped_network
from roomcad_offline.multi_sparc.pose import Pose, rotation_about
from roomcad_offline.multi_sparc.refine import AZIMUTHS, initial_pose, upright


class RgbInput:
    """Callable: Seen -> the Seen in which nothing of a depth sensor is left."""

    def __init__(self, variant, device="cpu"):
        """Load the networks that a Variant of input rgb names.

        Raises:
            FileNotFoundError: a network is neither given nor shipped.
        """
        self._networks = {task: network(variant, task, device) for task in LOADERS}
        self._geometry = RgbGeometry(RgbConfig(), self._networks)

    @property
    def checksums(self):
        """{task: sha256} of the networks' files."""
        return {task: network.spec.sha256 for task, network in self._networks.items()}

    def __call__(self, seen):
        rows = seen.rows
        if len(rows):  # the poses of the file start at the sensor's depth
            rows = replace(rows, t=NO_DEPTH * centre_rays(rows.bbox - 0.5, seen.frame.K))
        return replace(seen, frame=self._geometry(seen.frame), rows=rows)


def network(variant, task, device):
    """The network of a task that a Variant names: of a training's folder, or the shipped one."""
    folder = getattr(variant, task)
    if not folder:
        return shipped_network(task, getattr(RgbConfig(), task))
    from roomcad_offline.rgb_geometry.engine import trained_network

    return trained_network(folder, task, device)


def far_start(batch, pattern):
    """The four initialisations 3 m away on the rays of the boxes: Pose (B, 4, M).

    As the robot has them (multi_sparc.start): sizes of the library models, upright by gravity.
    """
    known = replace(batch, size_low=batch.size, size_high=batch.size)
    T, _, S = initial_pose(known, "rgb", pattern)
    turns = torch.arange(AZIMUTHS, device=T.device, dtype=T.dtype) * (2 * torch.pi / AZIMUTHS)
    return Pose(T, upright(batch.up, T[:, 0])[:, None] @ rotation_about(1, turns)[:, None], S)
