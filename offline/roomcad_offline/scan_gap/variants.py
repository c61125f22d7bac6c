"""The test sets of the study: ModelNet40, ScanObjectNN's variants or their stand-ins."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from roomcad_core.crop_input import MIN_POINTS
from roomcad_offline.classifier.real import read_real
from roomcad_offline.scan_gap import scanobjectnn
from roomcad_offline.scan_gap.clouds import N_POINTS, Clouds, resample, unit_sphere
from roomcad_offline.scan_gap.modelnet import read_cache

log = logging.getLogger(__name__)

VARIANTS = ("modelnet40", *scanobjectnn.FILES)
TITLES = {
    "modelnet40": "ModelNet40 test",
    "obj_only": "OBJ_ONLY",
    "obj_bg": "OBJ_BG",
    "pb_t25": "PB_T25",
    "pb_t50_rs": "PB_T50_RS",
    "sunrgbd": "single views (SUN RGB-D)",
}
STAND_IN = "real_scannet_dev.npz"  # for obj_only and obj_bg
SINGLE_VIEWS = "real_sunrgbd_dev.npz"  # a further set, without a counterpart in the post


@dataclass
class Variants:
    """Clouds of the variants that are there, and what is missing of the others."""

    found: dict = field(default_factory=dict)  # variant -> Clouds with their own classes
    missing: dict = field(default_factory=dict)  # variant -> what is missing


def collect(data, scanobjectnn_root=None, modelnet_test=None, seed=0):
    """Variants from the data folder and, if given, ScanObjectNN's release.

    Args:
        data: folder with modelnet40_test.npz and the real objects.
        scanobjectnn_root: folder of the h5 release; then nothing stands in for its variants.
        modelnet_test: cache to use in place of data/modelnet40_test.npz.
        seed: of the choice of points.
    """
    data = Path(data)
    variants = Variants()
    cache = Path(modelnet_test or data / "modelnet40_test.npz")
    _add(variants, "modelnet40", cache, lambda: read_cache(cache))
    for variant in scanobjectnn.FILES:
        if scanobjectnn_root:
            path = scanobjectnn.file_of(scanobjectnn_root, variant)
            _add(variants, variant, path, lambda p=path, v=variant: scanobjectnn.read_h5(p, v))
        elif variant in ("obj_only", "obj_bg"):
            path = data / STAND_IN
            _add(variants, variant, path, lambda p=path, v=variant: read_objects(p, v, seed))
        else:
            name = scanobjectnn.file_of("", variant)
            variants.missing[variant] = f"ScanObjectNN's {name} (--scanobjectnn)"
    path = data / SINGLE_VIEWS
    _add(variants, "sunrgbd", path, lambda: read_objects(path, "obj_bg", seed))
    return variants


def _add(variants, name, path, read):
    """Read a variant, or note the missing file; a damaged file is an error."""
    if path.is_file():
        variants.found[name] = read()
    else:
        variants.missing[name] = f"{path.parent.name}/{path.name} is missing"


def read_objects(path, variant, seed=0, n_points=N_POINTS):
    """Clouds of real objects, resampled with a fixed seed; unusable ones are named and left out."""
    objects = read_real(path, variant)
    rng = np.random.default_rng(seed)
    points, labels, background, left_out = [], [], [], []
    for i, cloud in enumerate(objects.clouds):
        reason = unusable(cloud)
        if reason:
            left_out.append(f"object {i} ({objects.classes[objects.labels[i]]}): {reason}")
            continue
        index = resample(cloud, n_points, rng)
        points.append(unit_sphere(cloud[index]))
        labels.append(objects.labels[i])
        if objects.is_object:
            background.append(~objects.is_object[i][index])
    for text in left_out:
        log.warning("%s: left out: %s", objects.name, text)
    if not points:
        raise ValueError(f"{path}: {variant}: no usable object; {'; '.join(left_out[:3])}")
    name = objects.name + (f" ({len(left_out)} left out)" if left_out else "")
    mask = np.array(background) if background else None
    return Clouds(name, np.array(points), np.array(labels), objects.classes, mask)


def unusable(cloud):
    """Why a cloud (N, 3) cannot be classified, or None."""
    if len(cloud) < MIN_POINTS:
        return f"{len(cloud)} points, at least {MIN_POINTS} are needed"
    if not np.isfinite(cloud).all():
        return "NaN or infinity among its points"
    if np.ptp(cloud, axis=0).max() <= 0:
        return "all points are equal"
    return None
