"""Scenes to learn from: recorded or simulated RGB-D folders, and FrameNet's normals of ScanNet.

FrameNet's folder (scannet-frames) has one folder a scene with frame-NNNNNN-color.png, -normal.png
and -orient-mask.png. A normal is 1 - 2 value / 255 in the camera frame, towards the camera; the
mask is 0 where there is none.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomcad_core.camera import rays, resize_intrinsics
from roomcad_core.datasets import DATASETS, open_dataset
from roomcad_core.pictures import read_color
from roomcad_core.rgb_geometry import normal_code

FRAMENET_NORMAL = "frame-*-normal.png"
# ScanNet's colour camera as FrameNet has it: of pictures of 640 x 480.
FRAMENET_K = np.array([[577.591, 0, 318.905], [0, 578.73, 242.684], [0, 0, 1]])
FRAMENET_SIZE = 480, 640


@dataclass(frozen=True)
class View:
    """One image and what is known of it."""

    color: np.ndarray  # (H, W, 3) uint8 RGB
    K: np.ndarray  # (3, 3) intrinsics [px]
    depth: np.ndarray | None  # (H, W) float32 z-depth [m], 0 = missing
    normal: np.ndarray | None = None  # (H, W, 3) float32 unit, camera frame, 0 = missing


class RecordedScene:
    """Anything that datasets.open_dataset reads."""

    has_depth = True

    def __init__(self, path):
        self.path = path
        self._dataset = open_dataset(path, up="z")

    def __len__(self):
        return len(self._dataset)

    def __getitem__(self, i):
        frame = self._dataset[i]
        return View(frame.color, frame.K, frame.depth)


class FrameNetScene:
    """One scene of FrameNet's folder: colour and normals."""

    has_depth = False

    def __init__(self, path):
        self.path = path
        self._normals = sorted(path.glob(FRAMENET_NORMAL))
        if not self._normals:
            raise ValueError(f"{path}: no {FRAMENET_NORMAL}")

    def __len__(self):
        return len(self._normals)

    def __getitem__(self, i):
        path = self._normals[i]
        stem = path.name.removesuffix("normal.png")
        color, code = read_color(path.with_name(stem + "color.png")), read_color(path)
        mask = read_color(path.with_name(stem + "orient-mask.png"))[..., 0]
        if not color.shape == code.shape == (*mask.shape, 3):
            raise ValueError(f"{path}: got {code.shape}, colour {color.shape} and mask "
                             f"{mask.shape}, expected the same size")  # fmt: skip
        y, x = (n / m for n, m in zip(mask.shape, FRAMENET_SIZE, strict=True))
        K = resize_intrinsics(FRAMENET_K, x, y)
        return View(color, K, None, decoded_normals(code, mask, K, path))


def decoded_normals(code, mask, K, path):
    """(H, W, 3) unit normals of FrameNet's picture; ValueError where most face away.

    Args:
        code: (H, W, 3) uint8. mask: (H, W) uint8. K: (3, 3). path: names the file in errors.
    """
    normal = normal_code.decoded_normals(code)
    known = (mask > 0) & normal.any(2)
    normal = np.where(known[..., None], normal, 0)
    away = (np.einsum("...i,...i", normal, rays(mask.shape, K)) > 0)[known]
    if away.size and away.mean() > 0.5:
        share = f"{away.mean():.0%} of the normals face away from the camera"
        raise ValueError(f"{path}: {share}; expected FrameNet's code, 1 - 2 value / 255")
    return normal


def open_scene(path):
    """RecordedScene or FrameNetScene, by what is in the folder."""
    path = Path(path)
    return (FrameNetScene if any(path.glob(FRAMENET_NORMAL)) else RecordedScene)(path)


def scene_folders(folder, names=None):
    """Scenes at or below a folder, sorted.

    Args:
        folder: a scene, or a folder of scenes (folders, .sens files or bags).
        names: file with the names of the scenes wanted, one a line (scannetv2_train.txt); None =
            all of them.

    Raises:
        FileNotFoundError: no such folder or file.
        ValueError: no scene there, or none of a wanted name.
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder of scenes")
    below = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [folder] if is_scene(folder) else [p for p in below if is_scene(p)]
    if names is not None:
        wanted = set(Path(names).read_text(encoding="utf-8").split())
        found = [p for p in found if p.stem in wanted]
    if not found:
        why = f" named in {names}" if names else ": no RGB-D dataset, no FrameNet pictures"
        raise ValueError(f"{folder}: holds no scene{why}")
    return found


def is_scene(path):
    """Whether a file or folder holds images; what is still being written (.part) does not."""
    if path.suffix == ".part":
        return False
    recorded = any(kind.found_at(path) for kind in DATASETS.values())
    return recorded or (path.is_dir() and any(path.glob(FRAMENET_NORMAL)))


def window(view, x, y, width, height):
    """The View of a part of the image, from pixel (x, y)."""
    part = np.s_[y : y + height, x : x + width]
    K = np.array(view.K, float)
    K[:2, 2] -= x, y
    maps = {n: getattr(view, n) for n in ("depth", "normal")}
    cut = {n: None if a is None else a[part] for n, a in maps.items()}
    return dataclasses.replace(view, color=view.color[part], K=K, **cut)
