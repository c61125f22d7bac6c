"""One RGB-D frame to objects: a network finds them, what is too small or too flat goes."""

from __future__ import annotations

from roomcad_core.detect import apply_detections, make_detector
from roomcad_core.segment import crops
from roomcad_core.segment.instances import context_classes, make_instances
from roomcad_core.segment.planes import floor_height
from roomcad_core.segment.surface import grav_surface
from roomcad_core.types import Segmentation


class Segmenter:
    """Segmentation of a Frame by its depth and colour; see SegmentConfig.

    The network that finds the objects also says what class their surroundings make them. With a
    detector, its boxes or masks split what the network merges, and name it unless the classifier
    is to do that.
    """

    def __init__(self, config, detector=None, before=None, instances=None):
        """Load the networks that the config names unless they are there already.

        Args:
            config: SegmentConfig.
            detector: Frame -> Detections, instead of the one the config names.
            before: a Segmenter whose networks go on here if the settings name the same.
            instances: InstanceNetwork, instead of the one that the config names.

        Raises:
            FileNotFoundError, ValueError, ImportError: a network is missing, damaged, or cannot be
                run; the message names its file.
        """
        self._config = config
        same = self._agrees(before, "detector", "detector_masks")
        self._detector = detector or (before._detector if same else make_detector(config))
        same = self._agrees(before, "model", "engine", "precision")
        self._instances = instances or (before._instances if same else make_instances(config))

    def __call__(self, frame, up_cam=None):
        """Segmentation of one Frame.

        Args:
            frame: Frame; its pose, where known, tells the up direction (world is z-up).
            up_cam: (3,) up direction in the camera frame, overrides the pose.
        """
        config = self._config
        surface, T_grav_cam = grav_surface(frame, config, up_cam)
        floor_z = floor_height(surface, config)
        seen = self._instances(surface, floor_z, frame.color)
        labels = crops.keep_objects(surface, seen.labels(), floor_z, config)
        instances = crops.full_resolution(labels, surface.stride, frame.depth)
        found = {}
        if self._detector is not None:
            smallest = config.min_points * surface.stride**2
            instances, found = self._refined(instances, frame, smallest)
        context = context_classes(instances[:: surface.stride, :: surface.stride], seen)
        objects = crops.make_objects(instances, found, frame, T_grav_cam, config, context)
        return Segmentation(instances, objects, T_grav_cam, floor_z)

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
