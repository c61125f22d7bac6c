"""What the stages made of each object view: kept on disk room by room, and judged."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomcad_offline.multi_sparc.benchmark.judge import Poses, accuracy_table, right, share
from roomcad_offline.multi_sparc.benchmark.rooms import read_room
from roomcad_offline.multi_sparc.benchmark.views import by_frame


@dataclass(frozen=True)
class Outcome:
    """What the stages made of one object view; empty where they found nothing."""

    segmented: bool = False  # a segment has its mask, IoU of stages.SAME_MASK or more
    label: str = ""  # class of that segment (or of the true mask's crop)
    cad_id: str = ""  # CAD of the alignment
    T_cam_obj: list | None = None  # (4, 4)
    S: list | None = None
    score: float = 0.0


def outcome(alignment, label, segmented):
    """Outcome of a view with its Alignment, if any."""
    if alignment is None:
        return Outcome(segmented, label)
    T, S = alignment.T_cam_obj.tolist(), np.asarray(alignment.S).tolist()
    return Outcome(segmented, label, alignment.cad_id, T, S, float(alignment.score))


def run_stages(stages, folder, views, given, name):
    """{one of `given`: Outcomes of all views}; finished rooms are kept in folder/predictions/name.

    Args:
        stages: Stages.
        folder: the benchmark's folder.
        views: ObjectViews.
        given: some of GIVEN.
        name: of the sub-folder.
    """
    from tqdm import tqdm

    kept = Path(folder) / "predictions" / name
    kept.mkdir(parents=True, exist_ok=True)
    identity = stages.identity(views)
    rooms = {}
    for (room, number), index in by_frame(views).items():
        rooms.setdefault(room, []).append((number, index))
    out = {g: [None] * len(views) for g in given}
    for room, frames in tqdm(rooms.items(), name, unit="room"):
        found = read_kept(kept / f"{room}.json", identity, given)
        if found is None:
            dataset = read_room(Path(folder) / "rooms" / room)
            found = {g: [] for g in given}
            for number, index in frames:
                made = stages.frame(dataset[number], [views[k] for k in index], given)
                for g in given:
                    found[g] += made[g]
            write_kept(kept / f"{room}.json", identity, found)
        index = [k for _, ks in frames for k in ks]
        for g in given:
            for k, result in zip(index, found[g], strict=True):
                out[g][k] = result
    return out


def read_kept(path, identity, given):
    """Outcomes of a room by what was given, or None where they are not those asked for."""
    try:
        stored = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    if stored.get("identity") != identity or not set(given) <= set(stored["outcomes"]):
        return None
    return {g: [Outcome(**values) for values in stored["outcomes"][g]] for g in given}


def write_kept(path, identity, outcomes):
    """Store a room's Outcomes."""
    plain = {g: [dataclasses.asdict(o) for o in found] for g, found in outcomes.items()}
    path.write_text(json.dumps({"identity": identity, "outcomes": plain}) + "\n")


def poses_of(outcomes):
    """Poses (one result a view) of Outcomes."""
    poses = Poses.none(len(outcomes))
    for k, o in enumerate(outcomes):
        if o.T_cam_obj is not None:
            T = np.array(o.T_cam_obj)
            poses.T[k, 0], poses.R[k, 0], poses.S[k, 0] = T[:3, 3], T[:3, :3], o.S
            poses.score[k, 0] = o.score
    return poses


def judge_stages(outcomes, views):
    """{what was given: accuracies, and shares of views segmented, named and retrieved rightly}."""
    counted = np.array([v.counted for v in views])
    table = {}
    for name, found in outcomes.items():
        pairs = list(zip(found, views, strict=True))
        flags = {
            "segmented": [o.segmented for o, _ in pairs],
            "class_right": [o.label == v.label for o, v in pairs],
            "cad_right": [o.cad_id == v.cad_id for o, v in pairs],
            "aligned": [o.T_cam_obj is not None for o, _ in pairs],
        }
        shares = {k: share(np.array(f), counted)["accuracy"] for k, f in flags.items()}
        table[name] = accuracy_table(right(poses_of(found), views)[:, 0], views) | shares
    return table
