"""A scan of ScanNet with its instances, in the aligned frame."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomcad_core.pose import transform
from roomcad_offline.scannet import alignment, segments
from roomcad_offline.scannet.boxes import Box, without_empty
from roomcad_offline.scannet.categories import Category
from roomcad_offline.scannet.mesh import read_mesh, read_vertex_labels

log = logging.getLogger(__name__)

MESH = "{}_vh_clean_2.ply"
LABELS = "{}_vh_clean_2.labels.ply"
SEGMENTS = "{}_vh_clean_2.0.010000.segs.json"
AGGREGATIONS = ("{}.aggregation.json", "{}_vh_clean.aggregation.json")
FLOOR = 2  # NYU40


@dataclass(frozen=True)
class Scan:
    """A coloured mesh of a room in which the things are told apart."""

    name: str
    vertices: np.ndarray  # (N, 3) float32 [m], aligned: z up, floor about 0, walls along x and y
    faces: np.ndarray  # (F, 3) int64
    colors: np.ndarray  # (N, 3) uint8 RGB
    instance: np.ndarray  # (N,) int32, 0 = not annotated, else objectId + 1
    nyu40: np.ndarray  # (N,) int32 NYU40 id, 0 = none
    objects: dict[int, Category]  # by instance
    T_aligned_raw: np.ndarray  # (4, 4) what was applied to the vertices of the file


def read_scan(folder: str | Path, aligned: bool = True, already: bool | None = None) -> Scan:
    """Read a scan folder SCENE/ with ScanNet's own files.

    Args:
        folder: holds SCENE_vh_clean_2.ply and an aggregation with segments, or labels.ply.
        aligned: False leaves the vertices as they are in the file.
        already: True: the vertices in the file are aligned; False: axisAlignment is applied,
            nothing else; None: geometry decides, and a scan that leans is put upright.

    Raises:
        FileNotFoundError: there is no mesh, or nothing that tells the things apart.
        ValueError: a file is damaged; the message names file and field.
    """
    folder = Path(folder).resolve()
    name = folder.name
    mesh = read_mesh(folder / MESH.format(name))
    instance, objects, nyu40 = _things(folder, mesh)
    T = _alignment(folder, mesh, nyu40 == FLOOR, already) if aligned else np.eye(4)
    vertices = transform(T, mesh.vertices).astype(np.float32)
    return Scan(name, vertices, mesh.faces, mesh.colors, instance, nyu40, objects, T)


def is_scan(folder: Path) -> bool:
    """True if `folder` holds a mesh named after it."""
    return (folder / MESH.format(folder.resolve().name)).is_file()


def boxes(scan: Scan) -> list[Box]:
    """Boxes of all annotated things but structure; empty ones are named and left out."""
    found = []
    for number, category in sorted(scan.objects.items()):
        if category.kind != "structure":
            points = scan.vertices[scan.instance == number].astype(float)
            low, high = points.min(0), points.max(0)
            found.append(Box(category, (low + high) / 2, high - low, number))
    return without_empty(found, scan.name)


def _things(folder, mesh):
    """Instances (N,), their categories, NYU40 ids (N,)."""
    name, count = folder.name, len(mesh.vertices)
    labels_file, segs = folder / LABELS.format(name), folder / SEGMENTS.format(name)
    aggregation = next((p for a in AGGREGATIONS if (p := folder / a.format(name)).is_file()), None)
    labels = read_vertex_labels(labels_file, count) if labels_file.is_file() else mesh.labels
    if aggregation is not None and segs.is_file():
        instance, objects = segments.read_instances(segs, aggregation, count)
        nyu40 = _nyu40_of(instance, objects) if labels is None else labels
    elif labels is not None:
        nyu40 = labels
        instance, objects = segments.components(labels, mesh.faces, folder)
    else:
        wanted = ", ".join(pattern.format(name) for pattern in (*AGGREGATIONS, LABELS))
        raise FileNotFoundError(
            f"{folder}: no instances: looked for {wanted} and {SEGMENTS.format(name)}"
        )
    return instance, objects, nyu40.astype(np.int32)


def _nyu40_of(instance, objects):
    """(N,) NYU40 ids of the instances' categories."""
    table = np.zeros(instance.max(initial=0) + 1, np.int32)
    for number, category in objects.items():
        table[number] = category.nyu40_id
    return table[instance]


def _alignment(folder, mesh, floor, already):
    """T_aligned_raw (4, 4)."""
    if already:
        return np.eye(4)
    name, T = folder.name, alignment.read_alignment(folder / f"{folder.name}.txt")
    if T is None:
        log.warning("%s: no axisAlignment in %s.txt", folder, name)
        T = np.eye(4)
    elif already is None:
        T = alignment.choose(T, mesh.vertices, mesh.faces, floor, name)
    if already is None:
        T = alignment.levelling(transform(T, mesh.vertices), floor, name) @ T
    return T
