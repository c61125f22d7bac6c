"""Truth from ScanNet's label and instance images, at the resolution of colour or depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from roomcad_core.camera import project, rays
from roomcad_core.datasets.base import Dataset
from roomcad_core.datasets.scannet_folder import (
    COLOR_SUFFIXES,
    EXTRINSIC_NAMES,
    INTRINSIC_NAMES,
    first_existing,
)
from roomcad_core.datasets.text_files import read_intrinsics, read_pose
from roomcad_core.pictures import picture_size
from roomcad_core.pose import inverse, transform
from roomcad_core.types import Frame
from roomcad_offline.scannet.boxes import read_boxes
from roomcad_offline.scannet.categories import Category, by_scannet_id
from roomcad_offline.scannet.truth import FrameTruth, Truth, frame_key, read_ids

FOLDERS = (("instance-filt", "label-filt"), ("instance", "label"))  # the first that exist
FAR = 4.0  # [m] where depth is missing, the baseline of the two cameras counts as at this distance


class LabelImages(Truth):
    """instance-filt/N.png (ids, 0 = none) with label-filt/N.png (raw ScanNet ids)."""

    LOOKS_FOR = "instance-filt/ with label-filt/ (or instance/ with label/)"

    def __init__(self, folder: Path, dataset: Dataset):
        super().__init__(folder, dataset)
        names = _folders_at(folder)
        self._instance, self._label = (folder / name for name in names)
        if (folder / "boxes.json").is_file():
            self.T_aligned_world, self.boxes = read_boxes(folder / "boxes.json")

    @staticmethod
    def found_at(folder: Path) -> bool:
        return _folders_at(folder) is not None

    def of(self, frame: Frame) -> FrameTruth:
        key = frame_key(frame)
        ids, labels = (
            self._on_grid(f / f"{key}.png", frame) for f in (self._instance, self._label)
        )
        return FrameTruth(ids, majority(ids, labels))

    def _on_grid(self, path, frame):
        """(H, W) int32 ids of an image file at the pixels of the frame's depth."""
        ids = read_ids(path)
        if ids.shape == frame.depth.shape:
            return ids
        size = self._color_size(path)
        if ids.shape != size:
            raise ValueError(
                f"{path}: got {ids.shape}, expected {frame.depth.shape} (depth) or {size} (colour)"
            )
        u, v = np.moveaxis(self._color_pixels(frame), -1, 0)
        inside = (u >= 0) & (v >= 0) & (u < size[1]) & (v < size[0])
        return np.where(inside, ids[np.where(inside, v, 0), np.where(inside, u, 0)], 0)

    def _color_size(self, path):
        """(H, W) of the colour image beside a label image, or None."""
        names = (self.folder / "color" / f"{path.stem}{suffix}" for suffix in COLOR_SUFFIXES)
        color = next((name for name in names if name.is_file()), None)
        return tuple(picture_size(color.read_bytes(), color)) if color else None

    def _color_pixels(self, frame):
        """(H, W, 2) int column and row in the colour image of every depth pixel."""
        K, T = self._color_camera()
        depth = np.where(frame.depth > 0, frame.depth, np.float32(FAR))
        points = rays(depth.shape, frame.K) * depth[..., None]
        return np.rint(project(transform(T, points.astype(float)), K)[0]).astype(int)

    def _color_camera(self):
        """K (3, 3) of the colour camera and T_color_depth (4, 4)."""
        path = first_existing(self.folder, INTRINSIC_NAMES, "color")
        if path is None:
            raise FileNotFoundError(f"{self.folder}: no intrinsics of the colour camera")
        poses = []
        for kind in ("color", "depth"):
            extrinsic = first_existing(self.folder, EXTRINSIC_NAMES, kind)
            poses.append(np.eye(4) if extrinsic is None else read_pose(extrinsic))
        return read_intrinsics(path), inverse(poses[0]) @ poses[1]


def majority(ids: np.ndarray, labels: np.ndarray) -> dict[int, Category]:
    """{id: Category of most of its pixels that have a label}; both arrays (H, W), 0 = none."""
    categories = {}
    for number in np.unique(ids[ids > 0]).tolist():
        mine = labels[ids == number]
        found, counts = np.unique(mine[mine > 0], return_counts=True)
        categories[number] = by_scannet_id(int(found[counts.argmax()]) if len(found) else 0)
    return categories


def _folders_at(folder):
    """The pair of FOLDERS that exists, or None."""
    return next((pair for pair in FOLDERS if all((folder / n).is_dir() for n in pair)), None)
