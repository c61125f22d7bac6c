"""Frames with truth as the network's cells see them, kept in small files, one a room."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomcad_core.camera import resize_intrinsics
from roomcad_core.config import SegmentConfig
from roomcad_core.segment.instances.cells import fit_cells, fitting
from roomcad_core.segment.instances.channels import PICTURE, picture_of
from roomcad_core.segment.planes import floor_height
from roomcad_core.segment.surface import grav_surface
from roomcad_offline.benchmarks.real.room import Room
from roomcad_offline.instances.truth import SOME_STRUCTURE, things_and_kinds

FORMAT = 4
MOST_OBJECTS = 254  # of a frame; ids are kept as bytes
KIND_CODES, LOWEST_KIND = 64, SOME_STRUCTURE  # kinds from LOWEST_KIND on as one number with ids
# Of SegmentConfig, what the surface and the floor depend on.
SETTINGS = ("min_depth", "max_depth", "work_width", "plane_distance", "min_camera_height",
            "min_points")  # fmt: skip
UNIT = 127  # a normal's component of 1 as kept in a file


@dataclass(frozen=True)
class View:
    """One frame on the grid of cells (h, w), with its truth."""

    q: np.ndarray  # (h, w) float32 inverse depth [1/m], 0 = unknown
    normals: np.ndarray  # (h, w, 3) float32 unit, grav frame, 0 = unknown
    ids: np.ndarray  # (h, w) uint8 true objects, 0 = none
    kinds: np.ndarray  # (h, w) int8 place in KINDS, or UNKNOWN, SOME_THING, SOME_STRUCTURE
    K: np.ndarray  # (3, 3) intrinsics [cells]
    R_grav_cam: np.ndarray  # (3, 3)
    floor_z: float | None  # [m], grav frame
    picture: np.ndarray | None  # (PICTURE h, PICTURE w, 3) uint8 RGB, None = no colour image


class RoomViews:
    """Views of the rooms in a list of folders; [i] -> View. All of them are kept in memory."""

    def __init__(self, sources, cells_folder, size, progress=True):
        """Read the rooms' files; make those that are missing or of other settings.

        Args:
            sources: Sources of rooms: simulated, rendered scans, recordings.
            cells_folder: where the files are.
            size: (h, w) of the grid.
            progress: whether to show a bar.
        """
        from tqdm import tqdm

        self._rooms, self._index = [], []
        for source in tqdm(sources, "rooms", unit="room", disable=not progress):
            self._rooms.append(room_arrays(source, Path(cells_folder), size))
            frames = range(len(self._rooms[-1]["q"]))
            self._index += [(len(self._rooms) - 1, i) for i in frames]

    def __len__(self):
        return len(self._index)

    def __getitem__(self, i):
        room, frame = self._index[i]
        a = self._rooms[room]
        floor_z, picture = float(a["floor_z"][frame]), a["picture"][frame]
        return View(
            a["q"][frame].astype(np.float32), a["normals"][frame] * np.float32(1 / UNIT),
            a["ids"][frame], a["kinds"][frame], a["K"][frame], a["R_grav_cam"][frame],
            None if np.isnan(floor_z) else floor_z, picture if picture.any() else None,
        )  # fmt: skip


def room_arrays(source, cells_folder, size):
    """{name: array over the frames} of a Source, from its file or else made and kept there.

    Raises:
        ValueError: the room has no frame to learn from.
    """
    folder = source.folder.resolve()
    path = cells_folder / f"{folder.parent.name}-{folder.name}.npz"
    about = json.dumps({"format": FORMAT, "room": str(folder), "size": list(size),
                        "segment": {name: getattr(SegmentConfig(), name) for name in SETTINGS}},
                       sort_keys=True)  # fmt: skip
    if path.is_file():
        with np.load(path, allow_pickle=False) as file:
            if str(file["about"]) == about:
                return {name: file[name] for name in file.files if name != "about"}
    arrays = make_arrays(source, size)
    cells_folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, about=about, **arrays)
    part.replace(path)
    return arrays


def make_arrays(source, size):
    """{name: array over the frames} of a Source; frames without pose or truth are left out."""
    rows = [
        frame_arrays(frame, truth, size)
        for frame, truth in Room.open(source).frames_with_truth()
        if frame.T_world_cam is not None
    ]
    if not rows:
        raise ValueError(f"{source.folder}: no frame with pose and truth")
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def frame_arrays(frame, truth, size):
    """What RoomViews keeps of one Frame and its FrameTruth."""
    config = SegmentConfig()
    surface, T_grav_cam = grav_surface(frame, config)
    floor_z = floor_height(surface, config)
    q = np.where(surface.valid, surface.q, np.float32(0))
    cells = fit_cells(q, size)
    things, kinds = things_and_kinds(truth)
    numbers = np.unique(things[things > 0])[:MOST_OBJECTS]
    ids = np.searchsorted(numbers, things) + 1
    ids = np.where(np.isin(things, numbers), ids, 0)
    # Both of a block are those of its nearest pixel.
    both = nearest_ids(frame.depth, ids * KIND_CODES + (kinds - LOWEST_KIND), surface.stride)
    both = cells.of(both)
    picture = picture_of(frame.color, size)
    if picture is None:
        picture = np.zeros((PICTURE * size[0], PICTURE * size[1], 3), np.uint8)
    return {
        "q": cells.q.astype(np.float16),
        "normals": np.rint(cells.of(surface.normals) * UNIT).astype(np.int8),
        "ids": (both // KIND_CODES).astype(np.uint8),
        "kinds": (both % KIND_CODES + LOWEST_KIND).astype(np.int8),
        "picture": picture,
        "K": cell_intrinsics(frame.K, surface.stride, q.shape, size),
        "R_grav_cam": T_grav_cam[:3, :3],
        "floor_z": np.float64(np.nan if floor_z is None else floor_z),
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
