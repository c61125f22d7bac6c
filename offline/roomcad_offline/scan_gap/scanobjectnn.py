"""ScanObjectNN from its official h5 files, as labelled clouds with z up.

The files are y-up, which is half of the post's story: nothing in them says so.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from roomcad_offline.scan_gap.clouds import CLASSES_8, N_POINTS, Clouds, unit_sphere
from roomcad_offline.scan_gap.modelnet import TO_SCANOBJECTNN_11

CLASSES_15 = (
    "bag",
    "bin",
    "box",
    "cabinet",
    "chair",
    "desk",
    "display",
    "door",
    "shelf",
    "table",
    "bed",
    "pillow",
    "sink",
    "sofa",
    "toilet",
)  # in the order of the labels
CLASSES_11 = tuple(c for c in CLASSES_15 if c in TO_SCANOBJECTNN_11.values())
TO_MODELNET = {"shelf": "bookshelf", "display": "monitor"}
N_STORED = 2048  # points of a cloud in the files
BACKGROUND = -1  # its value in `mask`
NO_CLASS = -1  # a prediction outside the eleven

# variant -> folder and file after "test_" or "training_"
FILES = {
    "obj_only": ("main_split_nobg", "objectdataset.h5"),
    "obj_bg": ("main_split", "objectdataset.h5"),
    "pb_t25": ("main_split", "objectdataset_augmented25_norot.h5"),
    "pb_t50_rs": ("main_split", "objectdataset_augmentedrot_scale75.h5"),
}


def file_of(root, variant, split="test"):
    """Path of a variant's file below the release's folder (with or without h5_files/)."""
    root = Path(root)
    if (root / "h5_files").is_dir():
        root = root / "h5_files"
    folder, name = FILES[variant]
    return root / folder / f"{split}_{name}"


def read_h5(path, variant, n_points=N_POINTS, seed=0):
    """Clouds of one h5 file: 15 classes, z up, `n_points` chosen with a fixed seed.

    Raises:
        FileNotFoundError: no such file.
        ValueError: damaged file, missing key, wrong shape, label out of range, unusable cloud.
    """
    arrays = _read_arrays(Path(path), variant)
    data, labels, mask = arrays["data"], arrays["label"].reshape(-1), arrays.get("mask")
    _check(path, data, labels, mask)
    rng = np.random.default_rng(seed)
    index = rng.permuted(np.tile(np.arange(data.shape[1]), (len(data), 1)), axis=1)[:, :n_points]
    points = np.take_along_axis(data, index[..., None], 1)
    background = None if mask is None else np.take_along_axis(mask == BACKGROUND, index, 1)
    try:
        points = unit_sphere(z_up(points))
    except ValueError as error:
        raise ValueError(f"{path}: data: {error}") from None
    return Clouds(
        f"ScanObjectNN {variant}", points, labels.astype(np.int64), CLASSES_15, background
    )


def _read_arrays(path, variant):
    """{key: array} of the file; `mask` may be absent where there is no background."""
    import h5py

    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file (ScanObjectNN's h5_files)")
    try:
        with h5py.File(path, "r") as file:
            absent = {"data", "label", "mask"} - set(file)
            if variant == "obj_only":
                absent -= {"mask"}
            if absent:
                raise ValueError(f"no key {sorted(absent)[0]}; it has {sorted(file)}")
            return {key: file[key][()] for key in ("data", "label", "mask") if key in file}
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise ValueError(f"{path}: unreadable: {error}") from None


def _check(path, data, labels, mask):
    """Shapes, numbers and labels of a file; ValueError names the field."""
    n = len(data)
    if data.ndim != 3 or data.shape[1:] != (N_STORED, 3) or not n:
        raise ValueError(f"{path}: data: got {data.shape}, expected (N, {N_STORED}, 3)")
    if labels.shape != (n,):
        raise ValueError(f"{path}: label: got {len(labels)} labels for {n} clouds")
    if not np.isfinite(data).all():
        raise ValueError(f"{path}: data: NaN or infinity among the points")
    if labels.min() < 0 or labels.max() >= len(CLASSES_15):
        got = f"{labels.min()}..{labels.max()}"
        raise ValueError(f"{path}: label: got {got}, expected 0..{len(CLASSES_15) - 1}")
    if mask is not None and mask.shape != (n, N_STORED):
        raise ValueError(f"{path}: mask: got {mask.shape}, expected ({n}, {N_STORED})")


def z_up(points):
    """Clouds (..., 3) with y up to z up: (x, y, z) -> (x, -z, y), a turn about x."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1)


def y_up(points):
    """Clouds (..., 3) with z up to y up: (x, y, z) -> (x, z, -y); undoes `z_up`."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)


def with_classes_8(clouds):
    """The objects of the post's eight classes, under ModelNet40's names."""
    names = tuple(TO_MODELNET.get(c, c) for c in clouds.classes)
    return replace(clouds, classes=names).of_classes(CLASSES_8)


def with_classes_11(clouds):
    """The objects of the eleven common classes, under ScanObjectNN's names.

    `clouds` may carry ScanObjectNN's or ModelNet40's classes.
    """
    names = [eleven_name(c) for c in clouds.classes]
    labels = np.array([CLASSES_11.index(n) if n else NO_CLASS for n in names])[clouds.labels]
    kept = labels != NO_CLASS
    mask = None if clouds.is_background is None else clouds.is_background[kept]
    return Clouds(clouds.name, clouds.points[kept], labels[kept], CLASSES_11, mask)


def eleven_name(name):
    """Name among the eleven classes of a class of either data set, or None."""
    name = TO_SCANOBJECTNN_11.get(name, name)
    return name if name in CLASSES_11 else None


def to_classes_11(predicted, classes):
    """Predictions (N,) into `classes` as indices of CLASSES_11; NO_CLASS for all others."""
    names = [eleven_name(c) for c in classes]
    return np.array([CLASSES_11.index(n) if n else NO_CLASS for n in names])[predicted]
