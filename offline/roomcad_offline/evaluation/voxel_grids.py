"""Occupied voxels of CAD models, for the retrieval variant that accepts a similar CAD.

On disk: one .npz with an array CATEGORY_CADID of (K, 3) occupied indices, 0..31, a CAD.
"""

import zipfile
from pathlib import Path

import numpy as np

SIDE = 32


class VoxelGrids:
    """Occupied voxels {(category, cad_id): (K, 3) int}; overlaps are kept once computed."""

    def __init__(self, grids):
        self._cells = {key: _flat(cells, key) for key, cells in grids.items()}
        self._overlaps = {}

    def __contains__(self, key):
        return key in self._cells

    def iou(self, a, b):
        """Intersection over union of two CADs; 1 where a grid is missing, as ROCA counts it."""
        if a not in self._cells or b not in self._cells:
            return 1.0
        if (a, b) not in self._overlaps:
            cells, others = self._cells[a], self._cells[b]
            shared = len(np.intersect1d(cells, others))
            union = len(cells) + len(others) - shared
            self._overlaps[a, b] = shared / union if union else 1.0
        return self._overlaps[a, b]


def _flat(cells, key):
    """(K,) index of each voxel in the flattened grid."""
    cells = np.asarray(cells)
    if cells.ndim != 2 or cells.shape[1] != 3 or not np.issubdtype(cells.dtype, np.integer):
        raise ValueError(f"grid {key}: got {cells.dtype} {cells.shape}, expected integers (K, 3)")
    if len(cells) and (cells.min() < 0 or cells.max() >= SIDE):
        raise ValueError(f"grid {key}: got indices outside 0..{SIDE - 1}")
    x, y, z = cells.T.astype(int)
    return (x * SIDE + y) * SIDE + z


def read_grids(path):
    """VoxelGrids of an .npz."""
    try:
        with np.load(Path(path), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{path}: not an .npz of voxel indices: {error}") from None
    try:
        return VoxelGrids({tuple(name.split("_", 1)): cells for name, cells in arrays.items()})
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def write_grids(grids, path):
    """Write {(category, cad_id): (K, 3) occupied indices} as an .npz."""
    arrays = {f"{c}_{cad}": np.asarray(cells, np.uint8) for (c, cad), cells in grids.items()}
    np.savez_compressed(path, **arrays)


def voxelise(points):
    """(K, 3) uint8 occupied voxels of surface points (N, 3) in their own bounding box's cube.

    The cube has the longest side of the box and the same centre.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    corner = (low + high) / 2 - (high - low).max() / 2
    cells = np.floor((points - corner) / max((high - low).max(), 1e-12) * SIDE)
    return np.unique(np.clip(cells, 0, SIDE - 1).astype(np.uint8), axis=0)
