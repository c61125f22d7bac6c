"""One RGB-D frame to objects: planes out, the rest split at edges, pieces merged to objects.

A network that sees the surroundings divides and joins more of the pieces, and says what the objects
may be.
"""

from __future__ import annotations

import numpy as np

from roomcad_core import gravity
from roomcad_core.detect import apply_detections, make_detector
from roomcad_core.segment import crops, planes
from roomcad_core.segment.instances import context_classes, divided, joined, make_instances
from roomcad_core.segment.merge import merge, reclaim
from roomcad_core.segment.split import cut_links, split
from roomcad_core.segment.surface import fit_surface, rotated
from roomcad_core.segment.walls import find_walls
from roomcad_core.types import Segmentation


class Segmenter:
    """Class-agnostic segmentation of a Frame by its depth; see SegmentConfig.

    With a detector, its boxes or masks split what geometry merges, and name it unless the
    classifier is to do that.
    """

    def __init__(self, config, detector=None, before=None, instances=None):
        """Load the networks that the config names, if any, unless they are there already.

        Args:
            config: SegmentConfig.
            detector: Frame -> Detections, instead of the one the config names.
            before: a Segmenter whose networks go on here if the settings name the same.
            instances: InstanceNetwork, instead of the one that the config names.
        """
        self._config = config
        same = self._agrees(before, "detector", "detector_masks")
        self._detector = detector or (before._detector if same else make_detector(config))
        same = (
            self._agrees(before, "instances_model", "engine", "precision") and config.needs_network
        )
        kept = before._instances if same else None
        self._instances = instances or kept or make_instances(config)

    def __call__(self, frame, up_cam=None):
        """Segmentation of one Frame.

        Args:
            frame: Frame; its pose, where known, tells the up direction (world is z-up).
            up_cam: (3,) up direction in the camera frame, overrides the pose.
        """
        config = self._config
        surface = fit_surface(frame.depth, frame.K, config)
        T_grav_cam = gravity.gravity_frame(self._up(frame, surface, up_cam))
        surface = rotated(surface, T_grav_cam[:3, :3])
        labels, floor_z, seen = self._things(surface, frame.color)
        labels = crops.keep_objects(surface, labels, floor_z, config)
        instances = crops.full_resolution(labels, surface.stride, frame.depth)
        found = {}
        if self._detector is not None:
            smallest = config.min_points * surface.stride**2
            instances, found = self._refined(instances, frame, smallest)
        context = self._context(instances[:: surface.stride, :: surface.stride], seen)
        objects = crops.make_objects(instances, found, frame, T_grav_cam, config, context)
        return Segmentation(instances, objects, T_grav_cam, floor_z)

    def _things(self, surface, color):
        """(h, w) labels of the things, the floor's height or None [m], Seen of the network."""
        config = self._config
        if config.instances == "network":
            floor_z = floor_height(planes.find_floor(surface, config))
            seen = self._instances(surface, floor_z, color)
            return seen.labels(), floor_z, seen
        labels, floor_z = find_things(surface, config)
        if not config.context:
            return labels, floor_z, None
        seen = self._instances(surface, floor_z, color)
        if config.divide:
            labels = divided(labels, seen, config.divide)
        if config.join:
            labels = joined(labels, seen, config.join)
        return labels, floor_z, seen

    def _context(self, instances, seen):
        """{id: class_scores} of objects on the working grid by their surroundings."""
        return context_classes(instances, seen) if self._config.context else {}

    def _agrees(self, before, *names):
        """Whether `before` is a Segmenter with the same settings of these names."""
        return isinstance(before, Segmenter) and all(
            getattr(self._config, name) == getattr(before._config, name) for name in names
        )

    def _refined(self, instances, frame, smallest):
        """Instances after the detector, and the Detections by id that name theirs."""
        config, detections = self._config, self._detector(frame)
        only = config.detector_only
        instances, found = apply_detections(instances, frame.depth, detections, smallest, only)
        return instances, found if config.detector_names == "detector" else {}

    def _up(self, frame, surface, up_cam):
        if up_cam is not None:
            return up_cam
        if frame.T_world_cam is not None:
            return gravity.up_from_pose(frame.T_world_cam)
        return gravity.estimate_up(surface.normals[surface.smooth])


def find_things(surface, config):
    """(h, w) labels of the things by geometry, and the floor's height or None [m]."""
    level, walls, floor_z = find_background(surface, config)
    cuts = cut_links(surface, config)
    labels = split(surface, level | walls, cuts, config)
    labels = merge(surface, labels, cuts, floor_z)
    return reclaim(labels, walls, cuts), floor_z


def floor_height(floor):
    """Height of the floor's Plane or None [m]."""
    return None if floor is None else float(floor.d / floor.n[2])


def find_background(surface, config):
    """(h, w) bool of floor and ceiling, the same of walls, and the floor's height or None [m]."""
    level = np.zeros(surface.valid.shape, bool)
    floor = planes.find_floor(surface, config)
    for plane in (floor, planes.find_ceiling(surface, config)):
        if plane is not None:
            level |= plane.inside
    walls = np.zeros_like(level)
    for wall in find_walls(surface, level, config):
        walls |= wall.inside
    return level, walls & ~level, floor_height(floor)
