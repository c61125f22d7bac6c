"""What tracks have been seen to fill: small cubes of the room, each owned by one track.

A box says where an object should be while its pose is right. What its sightings have covered says
so whatever its pose is, and whichever piece of it a frame shows. A cube is owned by the track that
was seen there most often, so that one bad segmentation does not move what many have settled.
"""

from __future__ import annotations

import numpy as np

CUBE = 0.1  # side of a cube [m]
MOST = 20  # sightings of a cube that are counted: what has moved away is outvoted some day
SPAN = 1 << 20  # cubes along an axis until keys come again: 105 km, maps may begin far off
FARTHEST = 2.0**62  # cubes from the origin that can be counted
STEPS = np.arange(-1, 2)
# Differences between the key of a cube and those of the cubes that touch it, itself included.
TOUCHING = ((STEPS[:, None, None] * SPAN + STEPS[:, None]) * SPAN + STEPS).ravel()
NOWHERE = np.zeros(0, np.int64), np.zeros(0, np.int64)


class Places:
    """Sightings of cubes by tracks, in the world."""

    def __init__(self):
        self._seen = {}  # track id -> (sorted keys (N,), counts (N,))
        self._last = {}  # track id -> keys of its last sighting

    def owned(self, groups):
        """{name: {track id: share that it owns}} of groups of cubes {name: keys (N,)}.

        All groups at once: there are many objects and tracks in a frame.
        """
        tracks, counts = self._counts(_together(groups))
        if not len(tracks):
            return {name: {} for name in groups}
        owners = np.where(counts.max(0) > 0, counts.argmax(0), -1)
        out = {}
        for name, mine in _split(groups, owners):
            shares = np.bincount(mine[mine >= 0], minlength=len(tracks)) / max(len(mine), 1)
            out[name] = {i: float(share) for i, share in zip(tracks, shares, strict=True) if share}
        return out

    def last_seen(self, groups):
        """{name: {track id: share that its last sighting filled}} of groups of cubes, as owned."""
        keys, out = _together(groups), {name: {} for name in groups}
        for i, last in self._last.items():
            for name, hit in _split(groups, _found(last, keys)[1]):
                if len(hit):
                    out[name][i] = float(hit.mean())
        return out

    def of(self, track):
        """(N,) keys of the cubes where a track was seen."""
        return self._seen.get(track, NOWHERE)[0]

    def is_beside(self, track, keys):
        """Whether a track was seen in one of cubes `keys` (N,) or in one that touches it."""
        known = self.of(track)
        if not len(known) or not len(keys):
            return False
        around = np.unique((keys[:, None] + TOUCHING).ravel())
        return bool(_found(known, around)[1].any())

    def add(self, track, keys):
        """A track was seen in cubes `keys` (N,), each given once."""
        if len(keys):
            self._more(track, keys, np.ones(len(keys), np.int64))
            self._last[track] = keys

    def join(self, track, other):
        """A track takes over what another was seen in."""
        self._more(track, *self._seen.pop(other, NOWHERE))
        lasts = [self._last.pop(i) for i in (track, other) if i in self._last]
        if lasts:
            self._last[track] = np.unique(np.concatenate(lasts))

    def _more(self, track, keys, counts):
        if not len(keys):
            return
        old, before = self._seen.get(track, NOWHERE)
        both, place = np.unique(np.concatenate([old, keys]), return_inverse=True)
        total = np.bincount(place, np.concatenate([before, counts]), len(both))
        self._seen[track] = both, np.minimum(total, MOST).astype(np.int64)

    def keep(self, tracks):
        """Forget all but these tracks."""
        self._seen = {i: seen for i, seen in self._seen.items() if i in tracks}
        self._last = {i: last for i, last in self._last.items() if i in tracks}

    def _counts(self, keys):
        """Track ids, and how often each was seen in each cube, (tracks, N)."""
        tracks, rows = sorted(self._seen), []
        for i in tracks:
            known, counts = self._seen[i]
            at, hit = _found(known, keys)
            rows.append(np.where(hit, counts[at], 0))
        return tracks, np.array(rows).reshape(len(tracks), len(keys))


def _together(groups):
    """(N,) keys of all groups {name: keys}, in their order."""
    return np.concatenate([NOWHERE[0], *groups.values()])


def _split(groups, values):
    """Pairs (name, its part of `values` (N,)) of groups whose keys were put together."""
    ends = np.cumsum([len(keys) for keys in groups.values()])
    return zip(groups, np.split(values, ends[:-1]), strict=True) if groups else ()


def _found(known, keys):
    """Where keys (N,) are in sorted `known`, and (N,) bool whether they are there at all."""
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return at, known[at] == keys


def cubes(points_world):
    """(M,) keys of the cubes, each once, in which finite points (N, 3) lie [m]."""
    cells = np.floor(points_world / CUBE)
    cells = cells[(np.abs(cells) < FARTHEST).all(1)].astype(np.int64)
    cells = (cells + SPAN // 2) % SPAN  # neighbours have neighbouring keys, also at the origin
    return np.unique((cells[:, 0] * SPAN + cells[:, 1]) * SPAN + cells[:, 2])
