"""Truth from ScanNet's label and instance images, at the resolution of colour or depth.

Pixels with a label and no instance, often walls and floor, are one more instance a label where
that is structure; unlabelled pieces of furniture could not be told apart. Boxes are those of
boxes.json, or else around the points that frames show of each instance.
"""

from __future__ import annotations

from functools import cached_property
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
from roomcad_offline.scannet.alignment import read_alignment
from roomcad_offline.scannet.boxes import Box, read_boxes
from roomcad_offline.scannet.categories import Category, by_scannet_id
from roomcad_offline.scannet.fused_boxes import fused_boxes
from roomcad_offline.scannet.truth import FrameTruth, Truth, frame_key, read_ids

FOLDERS = (("instance-filt", "label-filt"), ("instance", "label"))  # the first that exist
STRUCTURE = 100000  # + ScanNet id = the instance of a label of structure; above all of the images
FAR = 4.0  # [m] where depth is missing, the baseline of the two cameras counts as at this distance


class LabelImages(Truth):
    """instance-filt/N.png (ids, 0 = none) with label-filt/N.png (raw ScanNet ids)."""

    LOOKS_FOR = "instance-filt/ with label-filt/ (or instance/ with label/)"

    def __init__(self, folder: Path, dataset: Dataset):
        super().__init__(folder, dataset)
        names = _folders_at(folder)
        self._instance, self._label = (folder / name for name in names)
        self._read_boxes = None
        if (folder / "boxes.json").is_file():
            self.T_aligned_world, self._read_boxes = read_boxes(folder / "boxes.json")
        else:
            T = read_alignment(folder / f"{folder.resolve().name}.txt")
            self.T_aligned_world = np.eye(4) if T is None else T

    @cached_property
    def boxes(self) -> list[Box] | None:
        """Boxes of boxes.json, or else of what the frames show; None where none has a pose."""
        if self._read_boxes is not None:
            return self._read_boxes
        return fused_boxes(self.dataset, self.of, self.T_aligned_world)

    @staticmethod
    def found_at(folder: Path) -> bool:
        return _folders_at(folder) is not None

    def of(self, frame: Frame) -> FrameTruth:
        key = frame_key(frame)
        ids, labels = (
            self._on_grid(f / f"{key}.png", frame) for f in (self._instance, self._label)
        )
        ids = with_structure(ids, labels)
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


def with_structure(ids: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(H, W) ids, with one of STRUCTURE where there is none and the label is of structure."""
    bare = (ids == 0) & (labels > 0)
    found = [n for n in np.unique(labels[bare]).tolist() if by_scannet_id(n).kind == "structure"]
    return np.where(bare & np.isin(labels, found), STRUCTURE + labels, ids)


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
