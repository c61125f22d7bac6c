"""Frames of simulated rooms as the network's cells see them, kept in small files, one a room."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from roomcad_core import gravity
from roomcad_core.camera import resize_intrinsics
from roomcad_core.config import SegmentConfig
from roomcad_core.datasets import open_dataset
from roomcad_core.segment.instances.cells import fit_cells, fitting
from roomcad_core.segment.instances.model_files import KINDS
from roomcad_core.segment.instances.network import cell_color
from roomcad_core.segment.planes import find_floor
from roomcad_core.segment.surface import fit_surface, rotated
from roomcad_core.types import OTHER

FORMAT = 2
MOST_OBJECTS = 254  # of a room; ids are kept as bytes
UNIT = 127  # a normal's component of 1 as kept in a file


@dataclass(frozen=True)
class View:
    """One frame on the grid of cells (h, w), with its truth."""

    q: np.ndarray  # (h, w) float32 inverse depth [1/m], 0 = unknown
    normals: np.ndarray  # (h, w, 3) float32 unit, grav frame, 0 = unknown
    ids: np.ndarray  # (h, w) uint8 true objects, 0 = none
    kinds: np.ndarray  # (256,) place in KINDS of each id
    K: np.ndarray  # (3, 3) intrinsics [cells]
    R_grav_cam: np.ndarray  # (3, 3)
    floor_z: float | None  # [m], grav frame
    color: np.ndarray | None  # (h, w, 3) uint8 RGB, None = no colour image


class RoomViews:
    """Views of the rooms in a list of folders; [i] -> View. All of them are kept in memory."""

    def __init__(self, folders, cells_folder, size, progress=True):
        """Read the rooms' files; make those that are missing or of other settings.

        Args:
            folders: folders of simulated rooms.
            cells_folder: where the files are.
            size: (h, w) of the grid.
            progress: whether to show a bar.
        """
        from tqdm import tqdm

        self._rooms, self._index = [], []
        for folder in tqdm(folders, "rooms", unit="room", disable=not progress):
            self._rooms.append(room_arrays(Path(folder), Path(cells_folder), size))
            frames = range(len(self._rooms[-1]["q"]))
            self._index += [(len(self._rooms) - 1, i) for i in frames]

    def __len__(self):
        return len(self._index)

    def __getitem__(self, i):
        room, frame = self._index[i]
        a = self._rooms[room]
        floor_z, color = float(a["floor_z"][frame]), a["color"][frame]
        return View(
            a["q"][frame].astype(np.float32), a["normals"][frame] * np.float32(1 / UNIT),
            a["ids"][frame], a["kinds"], a["K"][frame], a["R_grav_cam"][frame],
            None if np.isnan(floor_z) else floor_z, color if color.any() else None,
        )  # fmt: skip


def room_arrays(folder, cells_folder, size):
    """{name: array over the frames} of a room, from its file or else made and kept there.

    Raises:
        ValueError: no simulated room, or one without instance masks.
    """
    path = cells_folder / f"{folder.resolve().parent.name}-{folder.name}.npz"
    about = json.dumps({"format": FORMAT, "room": str(folder.resolve()), "size": list(size),
                        "segment": asdict(SegmentConfig())}, sort_keys=True)  # fmt: skip
    if path.is_file():
        with np.load(path, allow_pickle=False) as file:
            if str(file["about"]) == about:
                return {name: file[name] for name in file.files if name != "about"}
    arrays = make_arrays(folder, size)
    cells_folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, about=about, **arrays)
    part.replace(path)
    return arrays


def make_arrays(folder, size):
    """{name: array over the frames} of a room."""
    dataset = open_dataset(folder)
    if not hasattr(dataset, "room"):
        raise ValueError(f"{folder}: got {type(dataset).__name__}, expected a simulated room")
    labels = {o["id"]: o["label"] for o in dataset.room["objects"]}
    labels |= {o["id"]: OTHER for o in dataset.room["clutter"]}
    if len(labels) > MOST_OBJECTS:
        raise ValueError(f"{folder}: {len(labels)} objects, expected at most {MOST_OBJECTS}")
    numbers = np.zeros(max(labels, default=0) + 1, np.uint8)
    numbers[list(labels)] = np.arange(1, len(labels) + 1)
    rows = [frame_arrays(frame, numbers, size) for frame in dataset]
    arrays = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    kinds = np.zeros(256, np.int64)
    kinds[1 : len(labels) + 1] = [KINDS.index(label) for label in labels.values()]
    return arrays | {"kinds": kinds}


def frame_arrays(frame, numbers, size):
    """What RoomViews keeps of one Frame; `numbers` (largest id + 1,) are the ids' in the file."""
    config = SegmentConfig()
    surface = fit_surface(frame.depth, frame.K, config)
    T_grav_cam = gravity.gravity_frame(gravity.up_from_pose(frame.T_world_cam))
    surface = rotated(surface, T_grav_cam[:3, :3])
    floor = find_floor(surface, config)
    q = np.where(surface.valid, surface.q, np.float32(0))
    cells = fit_cells(q, size)
    ids = nearest_ids(frame.depth, numbers[frame.instances], surface.stride)
    color = cell_color(frame.color, surface.stride, cells)
    return {
        "q": cells.q.astype(np.float16),
        "normals": np.rint(cells.of(surface.normals) * UNIT).astype(np.int8),
        "ids": cells.of(ids),
        "color": np.zeros((*size, 3), np.uint8) if color is None else color,
        "K": cell_intrinsics(frame.K, surface.stride, q.shape, size),
        "R_grav_cam": T_grav_cam[:3, :3],
        "floor_z": np.float64(np.nan if floor is None else floor.d / floor.n[2]),
    }


def nearest_ids(depth, ids, stride):
    """(ceil(H/stride), ceil(W/stride)) id of the nearest measured pixel of each block."""
    below = [(0, -n % stride) for n in depth.shape]
    depth = np.pad(np.where(depth > 0, depth, np.inf), below, constant_values=np.inf)
    ids = np.pad(ids, below)
    out, nearest = ids[::stride, ::stride].copy(), depth[::stride, ::stride].copy()
    for k in range(1, stride * stride):
        part = np.s_[k // stride :: stride, k % stride :: stride]
        closer = depth[part] < nearest
        out[closer], nearest[closer] = ids[part][closer], depth[part][closer]
    return out


def cell_intrinsics(K, stride, shape, size):
    """(3, 3) K of a grid of cells that a working grid (H, W) is fitted into."""
    factor = fitting(shape, size)
    out = resize_intrinsics(K, factor / stride, factor / stride)
    shift = [(m - factor * n) / 2 for n, m in zip(shape[::-1], size[::-1], strict=True)]
    out[:2, 2] += shift
    return out
