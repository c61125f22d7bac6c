"""A thing that was segmented in pieces becomes one object again where a found track explains them.

Two pieces of furniture do not fill the same place. So what lies on the posed CAD of a track is part
of that track's object, and begins no track of its own; and of two tracks of which one CAD explains
what both see, one is a part of the other.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from scipy.spatial import cKDTree

from roomcad_core.fit_score import thin
from roomcad_core.pose import inverse, transform
from roomcad_core.tracks.track import TRACKED, same_kind

REACH = 0.06  # a point nearer to a CAD's surface than this lies on it [m]
INSIDE = 0.8  # of a part lies in the box of the thing at least
LOSS = 0.1  # how much less of both pieces one CAD may explain than two
PIECE_POINTS, SURFACE_POINTS = 200, 2048  # that are looked at


class Surfaces:
    """What of the pieces of a frame lies in and on the CADs of the tracks that are found."""

    def __init__(self, segmentation, tracks, poses, library, margin):
        """`poses`: {track id: T_cam_obj}; `margin`: a box is taken larger by this [m]."""
        self.tracks = {t.id: t for t in tracks if t.state == TRACKED and t.id in poses}
        self.pieces = {o.id: thin(o.points, PIECE_POINTS) for o in segmentation.objects
                       if len(o.points)}  # fmt: skip
        T_grav_cam = segmentation.T_grav_cam
        self._T_obj_grav = {i: inverse(T_grav_cam @ poses[i]) for i in self.tracks}
        self._library, self._margin, self._trees = library, margin, {}
        self._points, self._on = {}, {}

    def inside(self, track, piece):
        """Share of a piece in the box of a track."""
        points = np.abs(self._placed(track, piece))
        return float((points <= self.tracks[track].S / 2 + self._margin).all(1).mean())

    def on(self, track, piece):
        """(N,) mask of the points of a piece that lie on the CAD of a track."""
        if (track, piece) not in self._on:
            points = self._placed(track, piece)
            near = (np.abs(points) <= self.tracks[track].S / 2 + REACH).all(1)
            if near.any():
                found = self._tree(track).query(points[near], distance_upper_bound=REACH)[0]
                near[near] = np.isfinite(found)
            self._on[track, piece] = near
        return self._on[track, piece]

    def _placed(self, track, piece):
        """(N, 3) points of a piece in the axes of a track's CAD [m]."""
        if (track, piece) not in self._points:
            T_obj_grav = self._T_obj_grav[track]
            self._points[track, piece] = transform(T_obj_grav, self.pieces[piece])
        return self._points[track, piece]

    def _tree(self, track):
        if track not in self._trees:
            t = self.tracks[track]
            surface = thin(self._library[t.cad_id].points, SURFACE_POINTS) * t.S
            self._trees[track] = cKDTree(surface, balanced_tree=False, compact_nodes=False)
        return self._trees[track]


def find_parts(surfaces, owners, least):
    """{object id: id of the found track it is a part of}, and the same of tracks that are parts.

    Args:
        surfaces: Surfaces, owners: {object id: track id} as associated.
        least: share of a piece on a CAD that makes it a part.
    """
    seen = {track: piece for piece, track in owners.items()
            if track in surfaces.tracks and piece in surfaces.pieces}  # fmt: skip
    ended = {}
    for a, b in itertools.combinations(sorted(seen), 2):
        whole = None if {a, b} & set(ended) else _whole(surfaces, seen, a, b, least)
        if whole is not None:
            ended[b if whole == a else a] = whole
    while chains := {a: ended[b] for a, b in ended.items() if b in ended}:
        ended |= chains
    parts = {seen[part]: whole for part, whole in ended.items()}
    found = set(surfaces.tracks) - set(ended)
    for piece in set(surfaces.pieces) - set(seen.values()):
        shares = {t: surfaces.on(t, piece).mean() for t in found
                  if surfaces.inside(t, piece) >= INSIDE}  # fmt: skip
        best = max(shares, key=shares.get, default=None)
        if best is not None and shares[best] >= least:
            parts[piece] = best
    return parts, ended


def _whole(surfaces, seen, a, b, least):
    """Of two tracks with a piece each the one that alone explains as much as both, or None."""
    other = {a: surfaces.on(a, seen[b]), b: surfaces.on(b, seen[a])}
    part = {a: surfaces.tracks[b], b: surfaces.tracks[a]}
    able = [t for t in (a, b) if other[t].mean() >= least
            and may_be_part(part[t], surfaces.tracks[t])]  # fmt: skip
    if not able:
        return None
    own = {t: surfaces.on(t, seen[t]) for t in (a, b)}
    alone = {t: own[t].mean() + other[t].mean() for t in able}
    both = (own[a] | other[b]).mean() + (own[b] | other[a]).mean()
    good = [t for t in able if alone[t] >= both - 2 * LOSS]
    return max(good, key=alone.get, default=None)


def may_be_part(track, whole):
    """Whether a track may end as a part: a known thing only as one of a known thing of its kind."""
    return not track.confirmed or (whole.confirmed and same_kind(track, whole))


def join_parts(segmentation, owners, parts):
    """Segmentation in which parts belong to the objects of their tracks, and its owners.

    The largest part becomes the object of a track that has none.
    """
    objects = {o.id: o for o in segmentation.objects}
    owners = {piece: track for piece, track in owners.items() if piece not in parts}
    main = {track: piece for piece, track in owners.items()}
    instances = segmentation.instances.copy()
    for piece in sorted(parts, key=lambda i: (-len(objects[i].points), i)):
        track = parts[piece]
        if track not in main:
            main[track], owners[piece] = piece, track
            continue
        instances[instances == piece] = main[track]
        objects[main[track]] = _joined(objects[main[track]], objects.pop(piece))
    joined = dataclasses.replace(segmentation, instances=instances, objects=tuple(objects.values()))
    return joined, owners


def _joined(main, part):
    """The Object `main` with the pixels and points of another one; it keeps its class."""
    points = np.concatenate([main.points, part.points])
    most = max(len(main.points), len(part.points))
    low, high = np.minimum(main.box, part.box)[:2], np.maximum(main.box, part.box)[2:]
    return dataclasses.replace(
        main,
        box=np.concatenate([low, high]),
        points=points[np.linspace(0, len(points) - 1, most).astype(int)],
    )
