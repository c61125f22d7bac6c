"""Objects to classes by size and height profile: the plain baseline, which needs no weights.

`BoxSizeClassifier` compares a few numbers of a crop's upright box with those of simulated views
of the CAD library. It knows hardly any shape, and says so by flat probabilities.
"""

import dataclasses

import numpy as np

from roomcad_core.boxes import fit_upright_box
from roomcad_core.classes import CLASSES
from roomcad_core.classify.context import Pooling, pooled
from roomcad_core.classify.rejected import rejected
from roomcad_core.crop_input import crop_fault
from roomcad_core.pose import upright_rotation
from roomcad_core.types import OTHER

# Camera elevations and azimuths from which each library model is looked at.
ELEVATIONS = np.radians([15, 35])
AZIMUTHS = np.radians(np.arange(0, 360, 60))
# Things in front hide the lower part of furniture, up to these shares of its height.
HIDDEN = (0.0, 0.4, 0.8)
# Monitors stand on something: their bottom over the floor [m].
MONITOR_RISES = (0.6, 0.75, 1.0)
# The share of the points that lies under the upper level of an object.
UPPER = 0.85
# Heights (shares of the upper level) at which the profile is taken.
PROFILE = (0.3, 0.6, 0.85)
# Kernel width of every feature: sensor noise, occlusion, and models the library does not hold.
KERNEL = np.array([0.12, 0.25, 0.30, 0.20, 0.15, 0.15, 0.15])
# A crop farther than this (in kernel widths) from every view is no known furniture.
OTHER_DISTANCE = 3.5
# How often a piece of furniture is of which class: objects of the 312 validation scenes of
# Scan2CAD (the paper, Table 1), whose tables include desks; toilets are guessed.
FREQUENCY = {
    "bathtub": 120,
    "bed": 70,
    "bin": 232,
    "bookshelf": 212,
    "cabinet": 260,
    "chair": 1093,
    "desk": 200,
    "monitor": 191,
    "sofa": 113,
    "table": 353,
    "toilet": 60,
}


class BoxSizeClassifier:
    """Kernel density of library views over height, sides, rise above the floor and profile."""

    def __init__(self, config, library, before=None):
        """`before`: one with the same library, whose views are not made again."""
        if before:
            vars(self).update(vars(before))
        else:
            self._look_at(library)
        self._config = config

    def _look_at(self, library):
        self._classes = [label for label in CLASSES if library.of_class(label)]
        views = [
            np.array([v for model in library.of_class(label) for v in library_views(model)])
            for label in self._classes
        ]
        self._views = np.concatenate(views)
        frequency = np.array([FREQUENCY[label] for label in self._classes], float)
        frequency /= frequency.sum()
        counts = [len(v) for v in views]
        self._owner = np.repeat(np.arange(len(views)), counts)
        self._log_weight = np.repeat(np.log(frequency / counts), counts)

    def __call__(self, segmentation):
        """Name every object of a Segmentation; objects that carry a label keep it."""
        objects = tuple(
            o if o.label else self._name(o, segmentation.floor_z) for o in segmentation.objects
        )
        return dataclasses.replace(segmentation, objects=objects)

    def _name(self, obj, floor_z):
        fault = crop_fault(obj.points)
        if fault:
            return rejected(obj, fault)
        scores = pooled(self.scores(obj.points, floor_z), obj.class_scores, Pooling())
        label = max(scores, key=scores.get)
        if scores[label] < self._config.min_score:
            label = OTHER
        return dataclasses.replace(
            obj, label=label, score=scores.get(label, 0.0), class_scores=scores
        )

    def scores(self, points, floor_z=None):
        """Class -> probability of (N, 3) crop points; the floor at `floor_z` [m] if known."""
        distance = (box_features(points, floor_z) - self._views) / KERNEL
        log_kernel = -0.5 * (distance**2).sum(1)
        peak = max(log_kernel.max(), -0.5 * OTHER_DISTANCE**2)
        weights = np.exp(log_kernel - peak + self._log_weight)
        p = np.bincount(self._owner, weights, minlength=len(self._classes))
        # As likely as a single typical view at the distance that counts as unknown.
        other = np.exp(-0.5 * OTHER_DISTANCE**2 - peak) / len(self._views)
        p = np.append(p, other) / (p.sum() + other)
        return dict(zip([*self._classes, OTHER], p.tolist(), strict=True))


def box_features(points, floor_z=None, weights=None):
    """(7,) log upper level, log long side, log short side, rise above the floor, profile.

    The upper level is the height under which UPPER of the points lie (by their `weights`):
    unlike the top it does not see what stands on a table. Heights count from the floor, or from
    the lowest point where no floor is known. The profile is the share of the points below
    PROFILE of the upper level.
    """
    box = fit_upright_box(points)
    floor_z = box.bottom if floor_z is None else min(floor_z, box.bottom)
    level = max(_quantile(points[:, 2], UPPER, weights) - floor_z, 0.02)
    long, short = np.sort(box.extents[:2])[::-1]
    below = points[:, 2, None] < floor_z + level * np.array(PROFILE)
    profile = np.average(below, axis=0, weights=weights)
    return np.array([np.log(level), np.log(long), np.log(short), box.bottom - floor_z, *profile])


def _quantile(values, share, weights=None):
    """Weighted quantile of (N,) values."""
    if weights is None:
        return np.quantile(values, share)
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return values[order][np.searchsorted(total, share * total[-1])]


def library_views(model):
    """Yield the features of what a camera sees of a CAD model: faces turned towards the view."""
    points = (model.points[::2] * model.size) @ upright_rotation(0.0).T
    normals = model.normals[::2] @ upright_rotation(0.0).T
    for elevation in ELEVATIONS:
        for azimuth in AZIMUTHS:
            facing = normals @ _direction(azimuth, elevation)
            visible = np.argsort(-facing)[: max(int((facing > 0.05).sum()), 32)]
            # A pixel grid samples a surface in proportion to its projected area.
            weights = np.maximum(facing[visible], 0.05)
            yield from _partial_views(points[visible], weights, model.label == "monitor")


def _partial_views(points, weights, stands_on_something):
    """Features of a view: raised above the floor, or on it and with its lower part hidden."""
    bottom = points[:, 2].min()
    if stands_on_something:
        for rise in MONITOR_RISES:
            yield box_features(points, bottom - rise, weights)
        return
    height = points[:, 2].max() - bottom
    for hidden in HIDDEN:
        seen = points[:, 2] >= bottom + hidden * height
        if seen.sum() >= 32:
            yield box_features(points[seen], bottom, weights[seen])


def _direction(azimuth, elevation):
    flat = np.cos(elevation)
    return np.array([np.cos(azimuth) * flat, np.sin(azimuth) * flat, np.sin(elevation)])
