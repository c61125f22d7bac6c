"""Furniture of simulated rooms as a fused scan shows it: several frames in one voxel grid.

Data sets of scanned rooms (ScanNet, ScanObjectNN) are fused from many views and then cut into
objects. Their objects are neither single views nor free of their surroundings, so the same is done
here with the frames of simulated rooms: twice, from all frames and from half of them, each object
alone and with what else its box contains.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from roomcad_core.camera import unproject
from roomcad_core.datasets import open_dataset
from roomcad_core.pose import rigid, transform

VOXEL = 0.02  # [m], as ScanNet's surfaces are resolved
DRIFT = (0.01, 0.004)  # deviation of a frame's position [m] and direction [rad]
MARGIN = (0.03, 0.15)  # growth of the box that cuts out an object with its surroundings [m]
MIN_VOXELS = 150
SHOWN = 0.25  # share of the CAD's surface that a scan must show to deserve its label
NEAR = 0.06  # a surface point is shown if the scan has a point this near [m]
SURFACE_POINTS = 512


@dataclass(frozen=True)
class FusedScan:
    """Voxels of a room: mean points (N, 3) float32 [m] in the world, and whose most points are."""

    points: np.ndarray
    ids: np.ndarray  # (N,) as in the frames' instances; 0 = none


def fused_rows(folders, library, seed=0):
    """Yield sample rows (see samples.collect) of all furniture of simulated rooms.

    Args:
        folders: rooms made by rooms.make.
        library: Library that they were furnished from.
        seed: of drift, choice of frames and margins.
    """
    for number, folder in enumerate(folders):
        rng = np.random.default_rng([seed, number])
        dataset = open_dataset(folder)
        frames = list(dataset)
        half = rng.permutation(len(frames))[: (len(frames) + 1) // 2]
        for chosen in (frames, [frames[k] for k in half]):
            scan = fuse(chosen, rng)
            for placed in dataset.ground_truth:
                yield from object_rows(scan, placed, library[placed.cad_id], dataset.name, rng)


def fuse(frames, rng):
    """FusedScan of RGB-D frames with true instances, each a little out of place."""
    clouds, owners = [], []
    for frame in frames:
        seen = frame.depth > 0
        turn = Rotation.from_rotvec(rng.normal(0, DRIFT[1], 3)).as_matrix()
        T_world_cam = frame.T_world_cam @ rigid(turn, rng.normal(0, DRIFT[0], 3))
        clouds.append(transform(T_world_cam, unproject(frame.depth, frame.K)[seen]))
        owners.append(frame.instances[seen])
    return voxels(np.concatenate(clouds), np.concatenate(owners))


def voxels(points, ids):
    """FusedScan of points (N, 3) and their owners (N,)."""
    cell = np.floor(points / VOXEL).astype(np.int64)
    cell -= cell.min(0)
    _, x, y = cell.max(0) + 1
    key = (cell[:, 0] * x + cell[:, 1]) * y + cell[:, 2]
    _, index, counts = np.unique(key, return_inverse=True, return_counts=True)
    means = [np.bincount(index, weights=column) / counts for column in points.T]
    # The owner of most of a voxel's points: the last of its pairs, ordered by their counts.
    n = int(ids.max()) + 1
    pairs, votes = np.unique(index * n + ids, return_counts=True)
    order = np.lexsort((votes, pairs // n))
    owner = np.empty(len(counts), np.int64)
    owner[pairs[order] // n] = pairs[order] % n
    return FusedScan(np.stack(means, -1).astype(np.float32), owner)


def object_rows(scan, placed, model, room, rng):
    """Yield the rows of one Placed object, alone and in its surroundings, if enough is shown."""
    own = scan.points[scan.ids == placed.id]
    if len(own) < MIN_VOXELS or shown(own, placed, model) < SHOWN:
        return
    margin = rng.uniform(*MARGIN)
    inside = ((scan.points > own.min(0) - margin) & (scan.points < own.max(0) + margin)).all(1)
    row = {"label": placed.label, "metric": True, "floor": True, "group": f"{room}/{placed.cad_id}"}
    yield {**row, "points": own}
    yield {**row, "points": scan.points[inside], "cut": True}


def shown(points, placed, model):
    """Share of the CAD's surface that has a point of the scan (N, 3) near."""
    surface = transform(placed.T_world_obj, model.points[:SURFACE_POINTS] * placed.S)
    return float(np.mean(cKDTree(points).query(surface, distance_upper_bound=NEAR)[0] < NEAR))
