"""Instances of a scan: from segments and their aggregation, or from labels of vertices alone."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from roomcad_offline.scannet.boxes import read_json
from roomcad_offline.scannet.categories import Category, by_name, by_nyu40

log = logging.getLogger(__name__)

MIN_COMPONENT = 20  # vertices; smaller pieces of a label are specks, not things


def read_instances(
    segs: Path, aggregation: Path, count: int
) -> tuple[np.ndarray, dict[int, Category]]:
    """Instances of the vertices as ScanNet annotates them.

    Args:
        segs: the *.segs.json; aggregation: the *.aggregation.json; count: vertices of the mesh.

    Returns:
        (count,) int32, 0 = not annotated, else objectId + 1; {instance: Category}. Objects of
        which the mesh has no vertex are left out with a warning.

    Raises:
        ValueError: naming file and field.
    """
    segment = _segment_of_vertices(segs, count)
    instance, objects, lost = np.zeros(count, np.int32), {}, []
    numbers, index = np.unique(segment, return_inverse=True)
    for number, label, segments in _groups(aggregation):
        lost += [s for s in segments if not _among(numbers, s)]
        instance[np.isin(numbers, segments)[index]] = number
        objects[number] = by_name(label)
    if lost:
        log.warning(
            "%s: segGroups: %d segments are not in %s, the first is %d",
            *(aggregation, len(lost), segs.name, lost[0]),
        )
    return instance, _present(instance, objects, aggregation)


def components(
    labels: np.ndarray, faces: np.ndarray, source
) -> tuple[np.ndarray, dict[int, Category]]:
    """Instances of a scan of which only NYU40 labels are known: what hangs together.

    Everything of one label of structure is one instance; of other labels each connected piece.

    Args:
        labels: (N,) NYU40 ids, 0 = none; faces: (F, 3).
    """
    piece = _pieces(labels, faces)
    instance, objects, specks = np.zeros(len(labels), np.int32), {}, 0
    for label in np.unique(labels[labels > 0]):
        category, mine = by_nyu40(int(label)), labels == label
        whole = category.kind == "structure"
        for members in [mine] if whole else _split(mine, piece):
            if not whole and np.count_nonzero(members) < MIN_COMPONENT:
                specks += 1
                continue
            objects[len(objects) + 1] = category
            instance[members] = len(objects)
    if specks:
        log.info("%s: %d pieces of fewer than %d vertices left out", source, specks, MIN_COMPONENT)
    return instance, objects


def _segment_of_vertices(path, count):
    content = read_json(path)
    try:
        segment = np.array(content["segIndices"], np.int64).reshape(-1)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: segIndices: missing or not a list of ints ({error})") from None
    if len(segment) != count:
        raise ValueError(f"{path}: segIndices: got {len(segment)}, expected {count} as vertices")
    return segment


def _groups(path):
    """[(objectId + 1, label, segments)] of an aggregation file."""
    content = read_json(path)
    groups = content.get("segGroups")
    if not isinstance(groups, list):
        raise ValueError(f"{path}: segGroups: missing or not a list")
    out = []
    for k, group in enumerate(groups):
        try:
            number = int(group.get("objectId", group.get("id")))
            out.append((number + 1, str(group["label"]), [int(s) for s in group["segments"]]))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: segGroups[{k}]: {error!r}") from None
    return out


def _among(numbers, value):
    """True if `value` is in the sorted `numbers`."""
    at = np.searchsorted(numbers, value)
    return at < len(numbers) and numbers[at] == value


def _present(instance, objects, source):
    """The objects that have vertices; the others are named and counted."""
    seen = set(np.unique(instance).tolist())
    empty = [f"{c.name} (objectId {k - 1})" for k, c in objects.items() if k not in seen]
    if empty:
        log.warning("%s: %d objects without vertices: %s", source, len(empty), ", ".join(empty))
    return {k: c for k, c in objects.items() if k in seen}


def _pieces(labels, faces):
    """(N,) number of the piece of equal label that each vertex belongs to."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    a, b = edges[labels[edges[:, 0]] == labels[edges[:, 1]]].T
    graph = coo_matrix((np.ones(len(a), bool), (a, b)), shape=(len(labels),) * 2)
    return connected_components(graph, directed=False)[1]


def _split(mine, piece):
    """Masks of the pieces in a mask."""
    return [mine & (piece == k) for k in np.unique(piece[mine])]
