"""Figures of all rooms of a kind as plain values: shares with 95 % intervals over places."""

from __future__ import annotations

from collections import Counter

import numpy as np

from roomcad_core.classes import CLASSES
from roomcad_offline.benchmarks.real.evaluate import KindResult, RoomResult
from roomcad_offline.benchmarks.real.frames import IOUS, MATCH, FrameScores
from roomcad_offline.benchmarks.real.objects import (
    FATES,
    GHOST,
    NOT_JUDGED,
    RIGHT,
    ObjectScores,
    fate_counts,
)
from roomcad_offline.benchmarks.real.sources import place_of
from roomcad_offline.classifier.calibrate import reliability
from roomcad_offline.metrics import bootstrap
from roomcad_offline.metrics.boxes3d import average_precision, votenet_right

AP_RESAMPLED = 200


def kind_record(result: KindResult, seed: int = 0) -> dict:
    """Plain values of all rooms of one kind."""
    with_boxes = [r for r in result.rooms if r.objects is not None]
    with_cads = [r for r in result.rooms if r.cads is not None]
    return {
        "rooms": len(result.rooms),
        "places": len(places(result.rooms)[0]),
        "frames": frames_record(result, seed),
        "objects": objects_record(with_boxes, seed) if with_boxes else None,
        "cads": cads_record(with_cads) if with_cads else None,
        "by_room": {r.source.name: room_record(r) for r in result.rooms},
    }


def places(rooms: list[RoomResult]) -> tuple[list[str], np.ndarray]:
    """Names of the places, and the place of each room: scans of one place are not independent."""
    names = [place_of(r.source.name) for r in rooms]
    unique, index = np.unique(names, return_inverse=True)
    return list(unique), index


def share(rooms, counts, figure=bootstrap.ratio, seed=0):
    """{value, interval_95, counts} of a figure of counts(room) -> tuple, summed over rooms."""
    rows = np.array([counts(r) for r in rooms], float)
    _, index = places(rooms)
    by_place = np.zeros((index.max() + 1, rows.shape[1]))
    np.add.at(by_place, index, rows)
    value = float(figure(rows.sum(0)))
    return {
        "value": value if np.isfinite(value) else None,
        "interval_95": bootstrap.interval(by_place, figure, seed),
        "counts": [int(n) for n in rows.sum(0)],
    }


def frames_record(result: KindResult, seed: int) -> dict:
    """Single frames: recall, classes, false share, average precision."""
    rooms = result.rooms
    found = {f"recall_{t}": share(rooms, _views(f"found_{t}", "true"), seed=seed) for t in IOUS}
    own = _views("right", f"found_{MATCH}")
    total = [r.frames for r in rooms]
    return {
        "frames": sum(f.frames for f in total),
        "without_truth": sum(f.without_truth for f in total),
        "damaged": sum(f.damaged for f in total),
        **found,
        "class_right": share(rooms, own, seed=seed),
        "both_right": share(rooms, _views("right", "true"), seed=seed),
        "precision": share(rooms, lambda r: (r.frames.shown_matched, r.frames.judged), seed=seed),
        "false_share": share(rooms, lambda r: (r.frames.false, r.frames.judged), seed=seed),
        "ap": ap_record(result, seed),
        "by_class": {c: _class_views(total, c) for c in CLASSES if _sum(total, "true", c)},
        "shown_false": _shown_false(total),
        "not_judged": sum(f.shown_kind("unknown", "other furniture") for f in total),
        "confusion": confusion_record(total),
    }


def _views(part, whole):
    return lambda r: (r.frames.total(part), r.frames.total(whole))


def _sum(scores, what, label):
    return sum(f.total(what, label) for f in scores)


def _class_views(scores, label):
    found = {f"found_{t}": _sum(scores, f"found_{t}", label) for t in IOUS}
    return {"true": _sum(scores, "true", label), **found, "right": _sum(scores, "right", label)}


def _shown_false(scores: list[FrameScores]):
    """{what it really is: {class it is shown as: n}}, most frequent first."""
    really = {}
    for f in scores:
        for (label, name, kind), n in f.shown.items():
            if kind in ("structure", "prop"):
                really.setdefault(name, Counter())[label] += n
    ranked = sorted(really.items(), key=lambda pair: -pair[1].total())
    return {name: dict(shown.most_common()) for name, shown in ranked}


def confusion_record(scores: list[FrameScores]) -> dict:
    """{true class: {class given: n}}."""
    total = sum((f.confusion for f in scores), Counter())
    rows = {}
    for (true, given), n in sorted(total.items()):
        if n:
            rows.setdefault(true, {})[given] = n
    return rows


def ap_record(result: KindResult, seed: int) -> dict:
    """Mean average precision of masks at each IoU, and of each class."""
    if not result.ap_room:
        return {}
    whole = result.ap.ap()
    names, place = places(result.rooms)
    rooms_of = [np.flatnonzero(place == k) for k in range(len(names))]
    again = []
    if len(names) > 1:
        for chosen in bootstrap.resamples(len(names), seed, AP_RESAMPLED):
            rooms = np.concatenate([rooms_of[k] for k in chosen])
            again.append(_mean(result.ap.ap(result.images_of(rooms))))
    record = {}
    for t, iou in enumerate(IOUS):
        values = np.array([a[t] for a in again if np.isfinite(a[t])])
        interval = np.quantile(values, bootstrap.QUANTILES).tolist() if len(values) else None
        record[f"{iou}"] = {
            "value": _mean(whole)[t],
            "interval_95": interval,
            "by_class": {c: float(v) for c, v in zip(CLASSES, whole[t], strict=True) if v == v},
        }
    return record


def _mean(ap):
    """[T] means over the classes that have truth."""
    return [float(np.nanmean(row)) if np.isfinite(row).any() else float("nan") for row in ap]


def objects_record(rooms: list[RoomResult], seed: int) -> dict:
    """The objects shown at the end of rooms: precision, recall, F1, mAP, fates, reliability."""
    scores = [r.objects for r in rooms]
    out = {}
    for t in OBJECT_IOUS:
        out[f"precision_{t}"] = share(rooms, _precision(t), seed=seed)
        out[f"recall_{t}"] = share(rooms, _recall(t), seed=seed)
        out[f"f1_{t}"] = share(rooms, _f1(t), bootstrap.f1, seed)
        out[f"map_{t}"] = map_record(rooms, t, seed)
    fates = sum((Counter(fate_counts(s)) for s in scores), Counter())
    times = [n for s in scores for n in s.frames_until_right]
    told = [n for n in times if n is not None]
    return {
        **out,
        "fates": {fate: fates[fate] for fate in FATES},
        "ghosts_a_room": share(rooms, lambda r: (r.objects.count(GHOST), 1), seed=seed),
        "never_seen": sum(s.never_seen for s in scores),
        "frames_until_right": {
            "median": float(np.median(told)) if told else None,
            "right_at_some_time": len(told),
            "objects": len(times),
        },
        "reliability": reliability_record(scores),
        "by_class": {c: row for c in CLASSES if (row := _class_objects(scores, c))["true"]
                     or row["shown"]},
    }  # fmt: skip


OBJECT_IOUS = (0.25, 0.5)


def _precision(t):
    return lambda r: (r.objects.count(RIGHT, t), r.objects.judged(t))


def _recall(t):
    return lambda r: (r.objects.count(RIGHT, t), len(r.objects.true))


def _f1(t):
    return lambda r: (r.objects.count(RIGHT, t), r.objects.judged(t), len(r.objects.true))


def _class_objects(scores, label):
    true = [ok for s in scores for (c, _), ok in zip(s.true, s.found[0.25], strict=True)
            if c == label]  # fmt: skip
    shown = [o for s in scores for o in s.shown if o.label == label]
    right = sum(o.fate[0.25] == RIGHT for o in shown)
    return {"true": len(true), "found": sum(true), "shown": len(shown), "right": right}


def map_record(rooms: list[RoomResult], iou: float, seed: int) -> dict:
    """VoteNet's mAP of the shown objects over rooms, with its interval and each class's AP.

    What is not judged is left out of it, as everywhere.
    """
    judged = [_detections(r.objects, iou) for r in rooms]
    by_class = {c: ap for c in CLASSES if (ap := class_ap(judged, c)) is not None}
    names, place = places(rooms)
    again = []
    if len(names) > 1:
        for chosen in bootstrap.resamples(len(names), seed, AP_RESAMPLED):
            some = [judged[k] for p in chosen for k in np.flatnonzero(place == p)]
            aps = [ap for c in CLASSES if (ap := class_ap(some, c)) is not None]
            again += [np.mean(aps)] if aps else []
    return {
        "value": float(np.mean(list(by_class.values()))) if by_class else None,
        "interval_95": np.quantile(again, bootstrap.QUANTILES).tolist() if again else None,
        "by_class": by_class,
    }


def _detections(scores: ObjectScores, iou: float) -> dict:
    """{class: (scores, right, number of true boxes)} of one room, best score first."""
    out = {}
    for c in CLASSES:
        mine = [s for s in scores.shown if s.label == c and s.fate[iou] != NOT_JUDGED]
        true = [box for label, box in scores.true if label == c]
        right = votenet_right(np.array([s.box for s in mine]), np.array(true), iou)
        out[c] = [s.score for s in mine], right.tolist(), len(true)
    return out


def class_ap(judged: list[dict], label: str) -> float | None:
    """AP of a class over rooms (dicts of _detections); None where no room has one."""
    true = sum(room[label][2] for room in judged)
    if not true:
        return None
    score = np.array([s for room in judged for s in room[label][0]])
    right = np.array([r for room in judged for r in room[label][1]], bool)
    return average_precision(right[np.argsort(-score, kind="stable")], true)


def reliability_record(scores: list[ObjectScores]) -> dict | None:
    """How often shown objects of a probability are right (class, 3D IoU 0.25)."""
    judged = [o for s in scores for o in s.shown if o.fate[0.25] != NOT_JUDGED]
    if not judged:
        return None
    probability = np.array([o.score for o in judged])
    right = np.array([o.fate[0.25] == RIGHT for o in judged])
    curve, ece = reliability(probability, right)
    return {
        "objects": len(judged),
        "ece": ece,
        "curve": curve,
        "mean_probability": float(probability.mean()),
        "right": float(right.mean()),
    }


def cads_record(rooms: list[RoomResult]) -> dict:
    """Scan2CAD accuracy, summed over rooms; {given: (right, judged)} of views and objects."""
    scores = [r.cads for r in rooms]
    not_run = {}
    for r in rooms:
        for given, why in r.cads.not_run.items():
            not_run.setdefault(given, []).append(f"{r.source.name}: {why}")
    per_class = {}
    for s in scores:
        for label, row in s.per_class.items():
            mine = per_class.setdefault(label, {})
            for given, pair in row.items():
                mine[given] = _plus(mine.get(given), pair)
    return {
        "views": _added(s.views for s in scores),
        "objects": _added(s.objects for s in scores),
        "by_class": per_class,
        "not_run": {given: "; ".join(why) for given, why in not_run.items()},
    }


def _added(tables):
    out = {}
    for table in tables:
        for given, pair in table.items():
            out[given] = _plus(out.get(given), pair)
    return out


def _plus(a, b):
    return [x + y for x, y in zip(a or (0, 0), b, strict=True)]


def room_record(r: RoomResult) -> dict:
    """The main figures of one room."""
    f, o = r.frames, r.objects
    record = {
        "views": f.total("true"), "found": f.total(f"found_{MATCH}"), "right": f.total("right"),
        "false": f.false, "judged": f.judged, "frames": f.frames, "without_truth": f.without_truth,
        "damaged": f.damaged,
    }  # fmt: skip
    if o is not None:
        fates = fate_counts(o)
        right, judged, true = fates.pop(RIGHT), o.judged(), len(o.true)
        f1 = float(bootstrap.f1(np.array([right, judged, true])))
        record |= {"true_boxes": true, "never_seen": o.never_seen, "right_objects": right,
                   "f1": f1 if np.isfinite(f1) else None, **fates}  # fmt: skip
    if r.cads is not None:
        record["cads"] = {given: list(pair) for given, pair in r.cads.objects.items()}
    return record
