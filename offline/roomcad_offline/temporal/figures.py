"""The figures of the table: passes, accuracy, jitter and identity switches, and the bars."""

from __future__ import annotations

import numpy as np

from roomcad_core.pose import rotation_error
from roomcad_offline.temporal.standing import standing_switches, stood_on

MOST_PASSES = 2.5  # a tracked object and frame
MOST_POINTS = 1.0  # of accuracy lost
MOST_JITTER = 0.5  # of that with four initialisations every frame


def summary(results):
    """{figure: value} of RoomResults; None where nothing was there to measure."""
    rows = [row for result in results for row in result.rows]
    efforts = [effort for result in results for effort in result.efforts]
    standings = [s for result in results for s in result.standings]
    masks = [s for result in results for s in result.masks]
    confirmed = set().union(*(result.confirmed for result in results))
    found = [e for e in efforts if (e.room, e.track) in confirmed]
    record = {
        "object_views": len(rows),
        "tracks": len({(e.room, e.track) for e in efforts}),
        "confirmed_tracks": len(confirmed),
        "passes": {
            "every_frame": _mean([e.every for e in found]),
            "tracked": _mean([e.tracked for e in found]),
            "tracked_all_objects": _mean([e.tracked for e in efforts]),
            "steady": _mean([e.tracked for e in found if e.state == "TRACKED"]),
        },
        "accuracy": accuracy(rows),
        "jitter": jitter(rows),
        "identity_switches": identity_switches(rows),
        "largest_piece_switches": largest_piece_switches(rows),
        "objects_of_a_track": _most_objects(rows),
        "placed_switches": standing_switches(standings),
        "mask_switches": standing_switches(masks),
        "placed_share": stood_on(standings),
    }
    return record | {"bars": bars(record)}


def accuracy(rows):
    """Share of the true objects of all frames that are right, in both modes, [%]."""
    if not rows:
        return {"every_frame": None, "tracked": None}
    share = {
        name: 100 * float(np.mean([r is not None and r.right for r in results]))
        for name, results in (
            ("every_frame", [row.every for row in rows]),
            ("tracked", [row.tracked for row in rows]),
        )
    }
    return {name: round(value, 2) for name, value in share.items()}


def steps(rows):
    """{"every_frame" | "tracked": (N, 3)}: what changes from frame to frame [m], [rad], log size.

    Only where both modes have both frames; a mode is not better for seeing less.
    """
    out = {"every_frame": [], "tracked": []}
    before = {}
    for row in sorted(rows, key=lambda r: (r.room, r.truth, r.frame)):
        last = before.get((row.room, row.truth))
        before[row.room, row.truth] = row
        if last is None or None in (last.every, last.tracked, row.every, row.tracked):
            continue
        out["every_frame"].append(_step(last.every, row.every, row.symmetry))
        out["tracked"].append(_step(last.tracked, row.tracked, row.symmetry))
    return {name: np.array(values).reshape(-1, 3) for name, values in out.items()}


def _step(a, b, symmetry):
    moved = np.linalg.norm(b.T_world_obj[:3, 3] - a.T_world_obj[:3, 3])
    turned = rotation_error(a.T_world_obj[:3, :3], b.T_world_obj[:3, :3], symmetry)
    return moved, turned, np.abs(np.log(b.S / a.S)).mean()


def jitter(rows):
    """Mean and median change from frame to frame of objects that stand still."""
    changes = steps(rows)
    if not len(changes["tracked"]):
        return None
    names = (("position_mm", 1000), ("rotation_deg", 180 / np.pi), ("size_percent", 100))
    record = {"pairs": len(changes["tracked"])}
    for i, (name, unit) in enumerate(names):
        every, tracked = (changes[mode][:, i] * unit for mode in ("every_frame", "tracked"))
        record[name] = {
            "every_frame": _mean(every),
            "tracked": _mean(tracked),
            "every_frame_median": round(float(np.median(every)), 3),
            "tracked_median": round(float(np.median(tracked)), 3),
            "ratio": round(float(tracked.mean() / max(every.mean(), 1e-12)), 3),
        }
    return record


def identity_switches(rows):
    """How often a true object that its track shows no more is shown by another confirmed one.

    As CLEAR MOT counts mismatches (Bernardin and Stiefelhagen 2008): while a track goes on to show
    the object, it stays its track, whatever else shows pieces of it.
    """
    last, switches = {}, 0
    for row in _in_order(rows):
        key = row.room, row.truth
        if last.get(key) not in row.tracks:
            switches += key in last
            last[key] = row.tracks[0]
    return switches


def largest_piece_switches(rows):
    """How often the largest piece of a true object is another track's than the last time."""
    last, switches = {}, 0
    for row in _in_order(rows):
        switches += last.get((row.room, row.truth), row.tracks[0]) != row.tracks[0]
        last[row.room, row.truth] = row.tracks[0]
    return switches


def _in_order(rows):
    """Rows of objects that a confirmed track shows, frame by frame."""
    return sorted((r for r in rows if r.tracks), key=lambda r: (r.room, r.frame))


def _most_objects(rows):
    """The largest number of true objects that one confirmed track showed; 1 is right."""
    shown = {}
    for row in rows:
        for track in row.tracks:
            shown.setdefault((row.room, track), set()).add(row.truth)
    return max((len(objects) for objects in shown.values()), default=0)


def bars(record):
    """{bar: whether it is held}; None where nothing was there to measure."""
    passes, share, changes = record["passes"]["tracked"], record["accuracy"], record["jitter"]
    lost = None if share["tracked"] is None else share["every_frame"] - share["tracked"]
    kinds, seen = ("position_mm", "rotation_deg"), record["object_views"]
    return {
        f"at most {MOST_PASSES} passes": None if passes is None else passes <= MOST_PASSES,
        f"at most {MOST_POINTS} point lost": None if lost is None else lost <= MOST_POINTS,
        "jitter at least halved": None
        if changes is None
        else all(changes[kind]["ratio"] <= MOST_JITTER for kind in kinds),
        "no identity switch of masks": record["mask_switches"] == 0 if seen else None,
        "no identity switch of placed CADs": record["placed_switches"] == 0 if seen else None,
        "no identity switch of pieces": record["identity_switches"] == 0 if seen else None,
    }


def passes_by_frame(results, mode):
    """Frame numbers and the mean passes of all rooms' objects in each."""
    by_frame = {}
    for result in results:
        for effort in result.efforts:
            by_frame.setdefault(effort.frame, []).append(getattr(effort, mode))
    frames = sorted(by_frame)
    return frames, [float(np.mean(by_frame[f])) for f in frames]


def _mean(values):
    return round(float(np.mean(values)), 3) if len(values) else None
