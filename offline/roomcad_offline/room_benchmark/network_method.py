"""A trained Multi-SPARC on detections: four initialisations, one, or those of tracks."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import torch

from roomcad_core.align import mode_mismatch
from roomcad_core.gravity import up_from_pose
from roomcad_core.multi_sparc.maps import make_maps
from roomcad_core.pose import inverse
from roomcad_offline.evaluation.poses import quaternions, rotations
from roomcad_offline.multi_sparc.batch import cat
from roomcad_offline.multi_sparc.benchmark.maps import image_batch
from roomcad_offline.multi_sparc.benchmark.network import load_trained
from roomcad_offline.multi_sparc.benchmark.views import ObjectView
from roomcad_offline.multi_sparc.inputs import sample_pattern
from roomcad_offline.multi_sparc.pose import Pose
from roomcad_offline.multi_sparc.refine import initial_pose, refine
from roomcad_offline.multi_sparc.refine_exported import ExportedRefine
from roomcad_offline.room_benchmark.rgb_input import far_start
from roomcad_offline.room_benchmark.tracks import Tracks
from roomcad_offline.room_benchmark.variant import Result

BATCH = 8  # images of one call

log = logging.getLogger(__name__)


class NetworkMethod:
    """Results of a training's averaged weights for the detections of frames."""

    def __init__(self, variant, library, device="cpu"):
        """`variant`: Variant whose method is the training's folder; `library`: Library."""
        self.trained, self.variant = load_trained(variant.method, device), variant
        self.device, self._library = device, library
        config = self.trained.network.config
        self._n_mul, self._n_points = config.network.n_mul, config.inputs.n_cad
        self._together = config.network.n_mul if variant.joint else 1
        self._pattern = sample_pattern(config.inputs.n_bbox).to(device)
        on_cpu = torch.device(device).type == "cpu"
        self._refined = (
            ExportedRefine(self.trained.network, self.trained.size) if on_cpu else self._by_torch
        )
        mismatch = mode_mismatch(self.trained, variant.input, variant.method)
        if mismatch:
            log.warning("model_mode: %s", mismatch)

    def __call__(self, scene):
        """[[Result or None of each detection] of each of a scene's Seen frames]."""
        if self.variant.initialisations == "temporal":
            return self._along(scene)
        times = 4 if self.variant.initialisations == "four" else 1
        results = [[None] * len(seen.models) for seen in scene]
        waiting = []
        for number, seen in enumerate(scene):
            maps = self._maps(seen)
            for group in self._groups(seen, range(len(seen.models))):
                waiting.append((self._batch(seen, maps, group), number, group))
        for first in range(0, len(waiting), BATCH):
            chunk = waiting[first : first + BATCH]
            batch = cat([b for b, _, _ in chunk]).to(self.device)
            start = self._start(batch)
            start = start.map(lambda x: x[:, :times])
            done = self._refine(batch, start, self.variant.updates)
            for image, (_, number, group) in enumerate(chunk):
                for slot, k in enumerate(group):
                    results[number][k] = done(image, slot, times * (self.variant.updates + 1))
        return results

    def _along(self, scene):
        """Frame by frame, each object starting from its track where it has one."""
        tracks, out = Tracks(self.variant.min_iou, self.variant.min_sigma), []
        for seen in scene:
            maps, T = self._maps(seen), seen.frame.T_world_cam
            held = tracks.match(seen)
            found = self._from_tracks(seen, maps, held)
            weak = [k for k, r in enumerate(found)
                    if r is None or r.sigma.max() < self.variant.min_sigma]  # fmt: skip
            for k, result in self._from_azimuths(seen, maps, weak).items():
                before = found[k]
                found[k] = result if before is None else _both(before, result)
            tracks.update(seen, found, held, T)
            out.append(found)
        return out

    def _from_tracks(self, seen, maps, held):
        """Results of the detections with a track, started from its pose."""
        found = [None] * len(seen.models)
        with_track = [k for k, track in enumerate(held) if track is not None]
        for group in self._groups(seen, with_track):
            batch = self._batch(seen, maps, group).to(self.device)
            start = self._start(batch).map(lambda x: x[:, :1])
            T, R, S = (x.clone() for x in start)
            for slot, k in enumerate(group):
                pose = inverse(seen.frame.T_world_cam) @ held[k].T_world_obj
                T[0, 0, slot] = torch.as_tensor(pose[:3, 3]).to(T)
                R[0, 0, slot] = torch.as_tensor(pose[:3, :3]).to(R)
                S[0, 0, slot] = torch.as_tensor(held[k].S).to(S)
            done = self._refine(batch, Pose(T, R, S), self.variant.tracked_updates)
            for slot, k in enumerate(group):
                found[k] = done(0, slot, self.variant.tracked_updates + 1)
        return found

    def _from_azimuths(self, seen, maps, chosen):
        """{k: Result} of some detections, started from four azimuths."""
        found = {}
        for group in self._groups(seen, chosen):
            batch = self._batch(seen, maps, group).to(self.device)
            start = self._start(batch)
            done = self._refine(batch, start, self.variant.updates)
            for slot, k in enumerate(group):
                found[k] = done(0, slot, 4 * (self.variant.updates + 1))
        return found

    def _start(self, batch):
        """The four initialisations of every object of a Batch."""
        if self.variant.input != "rgb":
            return initial_pose(batch, self.trained.mode, self._pattern)
        if self.variant.rgb_start == "depth":
            return initial_pose(batch, "rgbd", self._pattern)
        return far_start(batch, self._pattern)

    def _by_torch(self, batch, start, updates):
        return refine(self.trained.network, batch, start, updates, self._pattern)

    @torch.no_grad()
    def _refine(self, batch, start, updates):
        """Function (image, slot, passes) -> Result or None of a refined Batch."""
        pose, logit = self._refined(batch, start, updates)
        values = [x.cpu().double().numpy() for x in (*pose, logit.sigmoid())]

        def result(image, slot, passes):
            T, R, S, sigma = (x[image, :, slot] for x in values)
            finite = [np.isfinite(np.hstack([t, r.ravel(), s, o])).all() and (s > 0).all()
                      for t, r, s, o in zip(T, R, S, sigma, strict=True)]  # fmt: skip
            if not any(finite):
                return None
            T, R, S, sigma = (x[finite] for x in (T, R, S, sigma))
            poses = np.tile(np.eye(4), (len(T), 1, 1))
            poses[:, :3, 3] = T
            poses[:, :3, :3] = rotations(quaternions(R))  # rounding has bent them a little
            return Result(poses, S, sigma, passes)

        return result

    def _maps(self, seen):
        return make_maps(seen.frame, seen.instances, self.trained.size)

    def _groups(self, seen, chosen):
        """Lists of detections that are aligned together, largest first."""
        area = np.prod(seen.rows.bbox[:, 2:] - seen.rows.bbox[:, :2], axis=1)
        order = sorted(chosen, key=lambda k: -area[k])
        return [order[i : i + self._together] for i in range(0, len(order), self._together)]

    def _batch(self, seen, maps, group):
        """Batch of one image with the detections of a group in its first slots."""
        up = up_from_pose(seen.frame.T_world_cam)
        views = [_view(seen, k) for k in group]
        batch = image_batch(maps, up, views, self._library, self._n_mul, self._n_points)
        boxes = np.zeros((1, self._n_mul, 4), np.float32)
        boxes[0, : len(group)] = [maps.grid.box(seen.rows.bbox[k]) for k in group]
        return replace(batch, box=torch.from_numpy(boxes))


def _view(seen, k):
    """ObjectView of detection k; its truth is not known, and stands for nothing."""
    model = seen.models[k]
    box = seen.rows.bbox[k]
    area = int(np.prod(box[2:] - box[:2]))
    names = model.label, model.id, model.symmetry
    return ObjectView("", 0, k + 1, *names, np.eye(4), model.size, area, 1.0, 1.0, True)


def _both(a, b):
    """One Result of two of the same object."""
    pairs = (a.T, b.T), (a.S, b.S), (a.sigma, b.sigma)
    return Result(*map(np.concatenate, pairs), a.passes + b.passes)
