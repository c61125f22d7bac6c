"""A stand-in for a trained aligner: the true poses with errors, and a score that follows them."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from roomcad_core.pose import inverse, pose_errors, rigid, rotation_y
from roomcad_core.types import Alignment

AZIMUTHS = 4


class TruthAligner:
    """Says what the measurement gives for an aligner of known errors; it proves nothing.

    From scratch an object gets its true pose, with noise and, in the share `flips` of the calls,
    turned by a quarter or a half. From a Start every update goes `step` of the way there.
    """

    engine = "none"

    def __init__(self, rng, updates=3, noise=0.03, flips=0.05, step=0.7):
        """`noise`: standard deviation along each axis [m], also of the turn [rad] and log size."""
        self._rng, self._updates = rng, updates
        self._noise, self._flips, self._step = noise, flips, step
        self.room, self.dropped, self.passes = None, (), {}

    def of_room(self, room):
        """Take the ground truth of a dataset from now on."""
        self.room = {placed.id: placed for placed in room.ground_truth}

    def __call__(self, frame, segmentation, starts=None):
        """Alignments of the objects that are true furniture."""
        self.passes = {}
        found = (self._align(frame, segmentation, o, (starts or {}).get(o.id))
                 for o in segmentation.objects)  # fmt: skip
        return tuple(a for a in found if a is not None)

    def _align(self, frame, segmentation, obj, start):
        ids = frame.instances[segmentation.instances == obj.id]
        truth = self.room.get(int(np.bincount(ids).argmax())) if len(ids) else None
        if truth is None:
            return None
        true = inverse(frame.T_world_cam) @ truth.T_world_obj
        T, S = self._from_scratch(true, truth.S) if start is None else self._on(true, truth, start)
        updates = self._updates if start is None else start.updates
        self.passes[obj.id] = (AZIMUTHS if start is None else 1) * (updates + 1)
        error = pose_errors(T, S, true, truth.S, truth.symmetry)
        sigma = float(np.exp(-error[0] / 0.3 - error[1] / 0.6 - error[2] / 0.6))
        return Alignment(obj.id, truth.label, truth.cad_id, T, S, sigma, 1.0)

    def _from_scratch(self, true, S):
        turn = self._rng.integers(1, AZIMUTHS) if self._rng.random() < self._flips else 0
        return self._noisy(true @ rigid(rotation_y(turn * np.pi / 2), np.zeros(3)), S)

    def _on(self, true, truth, start):
        """The best of the poses of a Start, moved towards the true one."""
        T, S = min(start.poses, key=lambda p: np.linalg.norm(p[0][:3, 3] - true[:3, 3]))
        left = (1 - self._step) ** start.updates
        turn = Rotation.from_matrix(true[:3, :3].T @ T[:3, :3]).as_rotvec()
        far = np.linalg.norm(turn) > np.pi / 4  # updates do not undo a flip
        R = T[:3, :3] if far else true[:3, :3] @ Rotation.from_rotvec(left * turn).as_matrix()
        t = true[:3, 3] + left * (T[:3, 3] - true[:3, 3])
        return self._noisy(rigid(R, t), truth.S * (S / truth.S) ** left)

    def _noisy(self, T, S):
        shift, turn, size = self._rng.normal(0, self._noise, (3, 3))
        noise = rigid(Rotation.from_rotvec([0, turn[1], 0]).as_matrix(), np.zeros(3))
        return rigid((T @ noise)[:3, :3], T[:3, 3] + shift), S * np.exp(size)
