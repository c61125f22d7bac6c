"""ScanNet-style folder: color/N.jpg, depth/N.png (uint16 mm), pose/N.txt, intrinsics in text files.

Both layouts in use are read: intrinsic/intrinsic_{color,depth}.txt (4x4) of the .sens exporter
and intrinsics_{color,depth}.txt beside the folders of scannet_frames_25k. Poses are 4x4
camera-to-world; one that holds -inf or NaN marks lost tracking and gives a Frame whose
T_world_cam is None. ScanNet worlds are z-up and stay as they are; others are turned (option `up`).
"""

import logging

import numpy as np

from roomcad_core.datasets.base import FIRST_STAMP, Dataset
from roomcad_core.datasets.grid import ColorOnDepthGrid
from roomcad_core.datasets.text_files import (
    check_against_image,
    checked_pose,
    read_intrinsics,
    read_matrix,
    read_pose,
)
from roomcad_core.datasets.world import to_z_up
from roomcad_core.pictures import read_color, read_uint16
from roomcad_core.pose import inverse
from roomcad_core.types import Frame

log = logging.getLogger(__name__)

COLOR_SUFFIXES = (".jpg", ".jpeg", ".png")
INTRINSIC_NAMES = ("intrinsic/intrinsic_{}.txt", "intrinsics_{}.txt", "intrinsic_{}.txt")
EXTRINSIC_NAMES = ("intrinsic/extrinsic_{}.txt", "extrinsics_{}.txt", "extrinsic_{}.txt")


class ScanNetFolder(Dataset):
    """Frames of a ScanNet-style folder, in the order of their numbers."""

    LOOKS_FOR = "a folder with color/, depth/ and (for poses) pose/"

    def __init__(self, path, config):
        super().__init__(path, config)
        self._color = list_files(path / "color", COLOR_SUFFIXES)
        self._depth = list_files(path / "depth", (".png",))
        self._keys = self._complete_keys()
        self._poses = self._read_poses()
        self._keys = [key for key in self._keys if key in self._poses]
        self._T_world_raw = to_z_up(config.up, list(self._poses.values()))
        self._read_cameras()
        self.stamps = frame_stamps(self._keys, config.fps)

    @staticmethod
    def found_at(path):
        return (path / "color").is_dir() and (path / "depth").is_dir()

    def _complete_keys(self):
        """Frame names that have colour and depth; the others are bad data."""
        keys = []
        for key in sorted(self._color.keys() | self._depth.keys(), key=frame_order):
            for kind, files in (("color", self._color), ("depth", self._depth)):
                if key not in files:
                    self.on_bad(FileNotFoundError(f"{self.path / kind / key}: missing"))
                    break
            else:
                keys.append(key)
        if not keys:
            raise ValueError(f"{self.path}: color/ and depth/ share no frame")
        return keys

    def _read_poses(self):
        """{key: (4, 4) T_raw_cam or None}; a key whose pose file is damaged is left out."""
        folder = self.path / "pose"
        if not folder.is_dir():
            log.warning("%s: no pose/ folder, camera poses are unknown", self.path)
            return dict.fromkeys(self._keys)
        poses = {}
        for key in self._keys:
            try:
                poses[key] = read_pose(folder / f"{key}.txt")
            except (ValueError, OSError) as error:
                self.on_bad(error)
        self._report_lost(poses)
        return poses

    def _report_lost(self, poses):
        lost = [key for key, T in poses.items() if T is None]
        if lost:
            log.warning(
                "%s: %d of %d frames have no pose (tracking lost), the first is pose/%s.txt",
                *(self.path, len(lost), len(poses), lost[0]),
            )

    def _read_cameras(self):
        depth_file = first_existing(self.path, INTRINSIC_NAMES, "depth")
        color_file = first_existing(self.path, INTRINSIC_NAMES, "color")
        if depth_file is None and color_file is None:
            names = ", ".join(name.format("depth") for name in INTRINSIC_NAMES)
            raise FileNotFoundError(f"{self.path}: no intrinsics, looked for {names}")
        # One file alone serves both images: they then have to be of one size.
        self._K_file = depth_file or color_file
        self.K = read_intrinsics(self._K_file)
        E_color, E_depth = (self._read_extrinsics(kind) for kind in ("color", "depth"))
        self._T_base_depth = E_depth
        self._to_grid = ColorOnDepthGrid(
            read_intrinsics(color_file or depth_file),
            *(self.K, inverse(E_color) @ E_depth, f"{self.path}"),
        )

    def _read_extrinsics(self, kind):
        """(4, 4) T_base_kind; the poses are those of the base, for ScanNet the depth camera."""
        path = first_existing(self.path, EXTRINSIC_NAMES, kind)
        if path is None:
            return np.eye(4)
        T = checked_pose(read_matrix(path, (4,)), path)
        if T is None:
            raise ValueError(f"{path}: holds NaN or infinity")
        return T

    def _read(self, i):
        key = self._keys[i]
        depth = self.read_depth(self._depth[key])
        color_file = self._color[key]
        color = read_color(color_file)
        check_against_image(self.K, depth.shape, self._K_file)
        T = self._poses[key]
        return Frame(
            stamp=float(self.stamps[i]),
            color=self._to_grid(color, depth),
            depth=depth,
            K=self.K,
            T_world_cam=None if T is None else self._T_world_raw @ T @ self._T_base_depth,
            instances=self.read_instances(key, depth.shape),
            name=f"{self.path.resolve().name}/{key}",
        )

    def read_depth(self, path):
        """(H, W) float32 metres, 0 = missing."""
        return read_uint16(path).astype(np.float32) / np.float32(self.config.depth_scale)

    def read_instances(self, key, shape):
        """(H, W) uint16 true object ids of frame `key`, or None where nobody knows them."""
        return None


def list_files(folder, suffixes):
    """{stem: path} of the files with one of `suffixes` in `folder`."""
    return {p.stem: p for p in folder.iterdir() if p.suffix.lower() in suffixes}


def frame_order(key):
    """Sorting key: numbers by value, other names after them by letter."""
    return (0, int(key), key) if key.isdecimal() else (1, 0, key)


def frame_stamps(keys, fps):
    """(N,) seconds: frame number / fps where the names are numbers, else position / fps."""
    numbers = [int(key) for key in keys] if all(k.isdecimal() for k in keys) else range(len(keys))
    return FIRST_STAMP + np.array(numbers, float) / fps


def first_existing(folder, names, kind):
    """The first of `names` (with `kind` filled in) that exists in `folder`, or None."""
    paths = (folder / name.format(kind) for name in names)
    return next((path for path in paths if path.is_file()), None)
