"""What tracks claim by where they have been seen: pieces of theirs, and each other."""

from __future__ import annotations

from roomcad_core.pose import inverse, transform
from roomcad_core.tracks.overlap import may_nest
from roomcad_core.tracks.places import cubes
from roomcad_core.tracks.track import ALIKE, alike, same_kind, votes_of


def filled_cubes(frame, segmentation):
    """{object id: keys of the cubes that it fills}; {} where no camera pose is known."""
    if frame.T_world_cam is None:
        return {}
    T_world_grav = frame.T_world_cam @ inverse(segmentation.T_grav_cam)
    return {o.id: cubes(transform(T_world_grav, o.points)) for o in segmentation.objects}


def claims(places, filled, segmentation, tracks):
    """{object id: {track id: 0-1}}: how much of an object's place is a track's, if it is alike.

    A monitor on a desk stands where the desk was seen, too: what differs in class claims less.

    Args:
        places: Places, filled: {object id: keys}.
        tracks: {id: Track} of those that are asked for.
    """
    owned = places.owned(filled) if tracks else {}
    return {
        o.id: {
            i: share * alike(tracks[i].votes, votes_of(o)) ** 0.5
            for i, share in owned[o.id].items()
            if i in tracks
        }
        for o in segmentation.objects
        if o.id in owned
    }


def claimed_parts(claimed, taken, tracks, least):
    """{object id: id of the confirmed Track that claims it as a part}.

    Args:
        claimed: as claims gives them.
        taken: ids of objects that are a track's or a part already.
        tracks: {id: Track} that may have parts, least: share that is needed.
    """
    parts = {}
    for obj in set(claimed) - set(taken):
        able = {i: share for i, share in claimed[obj].items()
                if share >= least and i in tracks and tracks[i].confirmed}  # fmt: skip
        if able:
            parts[obj] = max(able, key=able.get)
    return parts


def beside_known(places, filled, segmentation, owners, tracks):
    """Ids of the objects that touch a known thing of their kind and are none themselves.

    Args:
        places, filled: as claims takes them.
        owners: {object id: track id}, tracks: {id: Track}.
    """
    known = {i: track for i, track in tracks.items() if track.confirmed}
    new = [o for o in segmentation.objects if o.id in filled and owners.get(o.id) not in known]
    votes = {o.id: tracks[owners[o.id]].votes if o.id in owners else votes_of(o) for o in new}
    return {
        o.id
        for o in new
        if any(
            alike(track.votes, votes[o.id]) >= ALIKE and places.is_beside(i, filled[o.id])
            for i, track in known.items()
        )
    }


def same_thing(places, tracks, least):
    """Pairs (track id, id of the one that owns the place where it was seen), both confirmed.

    Args:
        places: Places, tracks: {id: Track}, least: share of its place that is the other's.
    """
    pairs, ended = [], set()
    known = sorted(i for i, track in tracks.items() if track.confirmed)
    for i, shares in places.owned({i: places.of(i) for i in known}).items():
        best = max(shares, key=shares.get, default=i)
        if best == i or best not in tracks or shares[best] < least or ended & {i, best}:
            continue
        if not tracks[best].confirmed:
            continue
        if may_nest(tracks[i].label, tracks[best].label):
            continue  # a chair at a desk is often segmented with it
        if same_kind(tracks[i], tracks[best]):
            pairs.append((i, best))
            ended |= {i, best}
    return pairs
