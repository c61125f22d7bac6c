"""What an object's surroundings add to its crop: classes of what the robot segments in rooms."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from roomcad_core.classes import CLASSES
from roomcad_core.classify import make_classifier
from roomcad_core.config import ClassifyConfig, SegmentConfig
from roomcad_core.library import Library
from roomcad_core.segment import Segmenter
from roomcad_core.types import OTHER
from roomcad_offline.classifier.calibrate import reliability
from roomcad_offline.classifier.evaluate import save_json
from roomcad_offline.instances.evaluate import open_room
from roomcad_offline.instances.pictures import spread
from roomcad_offline.tables.markdown import number, table

PURE = 0.7  # a judged object shows this share of one piece of furniture, or of anything else
LEAST = 1e-6  # of a probability whose logarithm is taken
METHODS = ("crop", "surroundings", "both")


@dataclass(frozen=True)
class Judged:
    """An object of a frame whose class is beyond doubt."""

    label: str  # true class, OTHER = no furniture
    scores: dict  # {one of METHODS: {class: probability}}; none of an object no cell shows


def judged_objects(room, segment, classify, most=None):
    """Yield the Judged of a simulated room.

    Args:
        room: folder.
        segment: Segmenter that says what the surroundings make of an object.
        classify: Segmentation -> Segmentation with classes.
        most: frames, evenly spread; None = all.

    Raises:
        ValueError: the folder is no simulated room.
    """
    dataset = open_room(room)
    labels = {o["id"]: o["label"] for o in dataset.room["objects"]}
    for i in spread(len(dataset), most):
        frame = dataset[i]
        found = segment(frame)
        blind = tuple(replace(obj, class_scores={}) for obj in found.objects)
        crop, both = classify(replace(found, objects=blind)), classify(found)
        for objects in zip(crop.objects, found.objects, both.objects, strict=True):
            ids = frame.instances[(found.instances == objects[0].id) & (frame.depth > 0)]
            label = true_label(ids, labels)
            if label and not objects[0].note:
                scores = (obj.class_scores for obj in objects)
                yield Judged(label, dict(zip(METHODS, scores, strict=True)))


def true_label(ids, labels):
    """Class of what most of the pixels `ids` (n,) show, OTHER for no furniture, "" in doubt.

    `labels`: {true id: class} of the furniture.
    """
    values, counts = np.unique(ids, return_counts=True)
    furniture = np.array([int(i) in labels for i in values], bool)
    if counts[~furniture].sum() >= PURE * len(ids):
        return OTHER
    best = counts.argmax()
    return labels.get(int(values[best]), "") if counts[best] >= PURE * len(ids) else ""


def judge(objects):
    """{one of METHODS: figures} of Judged."""
    return {name: figures([(o.label, o.scores[name]) for o in objects]) for name in METHODS}


def figures(answers):
    """Shares and means of (true label, {class: probability}) answers; none counts as wrong."""
    furniture = [(label, p) for label, p in answers if label != OTHER]
    kept = [likeliest(p) not in ("", OTHER) for _, p in furniture]
    right = {label: [] for label in CLASSES}
    for label, p in furniture:
        right[label].append(likeliest({c: p[c] for c in p if c != OTHER}) == label)
    told = [(label, p) for label, p in answers if p]
    sure = np.array([max(p.values()) for _, p in told])
    is_right = np.array([likeliest(p) == label for label, p in told])
    return {
        "right": mean([r for each in right.values() for r in each]),
        "kept": mean(kept),
        "rejected": mean([likeliest(p) == OTHER for label, p in answers if label == OTHER]),
        "nll": mean([-np.log(max(p.get(label, 0), LEAST)) for label, p in furniture if p]),
        "calibration_error": reliability(sure, is_right)[1] if told else None,
        "right_by_class": {label: mean(each) for label, each in right.items()},
    }


def likeliest(scores):
    """The most probable class of {class: probability}, "" where there is none."""
    return max(scores, key=scores.get, default="")


def mean(values):
    return float(np.mean(values)) if values else None


def write_context(rooms, out, most=None):
    """Judge the default stack on simulated rooms; writes context.json and .md into `out`.

    Args:
        rooms: folders of simulated rooms.
        out: folder, made if missing.
        most: frames of each room at most; None = all.

    Returns:
        The markdown text.
    """
    from tqdm import tqdm

    segment = Segmenter(SegmentConfig())
    classify = make_classifier(ClassifyConfig(retrieved=0), Library.load())
    found = [o for room in tqdm(rooms, "judged", unit="room")
             for o in judged_objects(room, segment, classify, most)]  # fmt: skip
    counts = {label: sum(o.label == label for o in found) for label in (*CLASSES, OTHER)}
    record = {
        "data": {"folder": Path(rooms[0]).resolve().parent.name, "rooms": len(rooms)},
        "rule": {"pure": PURE},
        "objects": counts,
        "methods": judge(found),
    }
    out.mkdir(parents=True, exist_ok=True)
    save_json(record, out / "context.json")
    text = markdown(json.loads((out / "context.json").read_text()))
    (out / "context.md").write_text(text)
    return text


def markdown(record):
    """What write_context has judged as a page."""
    methods, counts = record["methods"], record["objects"]
    names = "right", "kept", "rejected", "nll", "calibration_error"
    head = ["class by", "right of 11", "furniture kept", "others rejected",
            "-ln p of furniture", "calibration error"]  # fmt: skip
    rows = [[name, *(number(m[n], 3) for n in names)] for name, m in methods.items()]
    by_class = [
        [label, n, *(number(m["right_by_class"][label], 2) for m in methods.values())]
        for label, n in counts.items() if label != OTHER
    ]  # fmt: skip
    n = sum(counts.values()) - counts[OTHER]
    return "\n".join([
        "# Classes by crop and by surroundings",
        "",
        f"{record['data']['rooms']} simulated rooms ({record['data']['folder']}), segmented as on "
        f"the robot. Judged are the {n} objects of which {100 * record['rule']['pure']:.0f} % or "
        f"more is one piece of furniture, and the {counts[OTHER]} of which as much is none. Right: "
        "the most probable of the 11 classes of furniture is the true one. Kept, rejected: `other` "
        "is not, or is, the most probable. -ln p: mean over the furniture, of 12 classes. "
        "`both` is what the robot takes: the crop's probability of `other`, and of the classes of "
        "furniture the geometric mean of both opinions.",
        "",
        *table(head, rows),
        "",
        "Right by class:",
        "",
        *table(["class", "objects", *methods], by_class),
        "",
    ])  # fmt: skip
