"""The opinions of crop and frame on classes, joined: fitted and judged on rooms with truth.

Every room is looked at by networks that were not trained on it (see benchmarks.real.folds), and
judged with the numbers fitted on the other places.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from roomcad_core.classify.context import LEAST, Pooling
from roomcad_core.pipeline import Pipeline
from roomcad_core.types import OTHER
from roomcad_offline.benchmarks.real.folds import Robots
from roomcad_offline.benchmarks.real.room import Room
from roomcad_offline.benchmarks.real.sources import Source, place_of
from roomcad_offline.classifier.calibrate import reliability
from roomcad_offline.classifier.evaluate import rounded
from roomcad_offline.classifier.samples import LABELS
from roomcad_offline.tables.markdown import number, table

FALSE = 0.12  # of what is called furniture, at most, is none
PURE = 0.7  # a judged piece shows this share of one thing
OTHER_AT = LABELS.index(OTHER)


@dataclass(frozen=True)
class Opinions:
    """Of N pieces whose class is beyond doubt."""

    crop: np.ndarray  # (N, len(LABELS)) probabilities
    frame: np.ndarray  # (N, len(LABELS))
    labels: np.ndarray  # (N,) the true ones, in LABELS
    places: np.ndarray  # (N,) names

    def of(self, mask: np.ndarray) -> Opinions:
        """Those under an (N,) bool mask."""
        return Opinions(self.crop[mask], self.frame[mask], self.labels[mask], self.places[mask])


def opinions(sources: list[Source], robots: Robots, every: int) -> Opinions:
    """What every `every`-th frame of rooms shows."""
    from tqdm import tqdm

    rows = []
    for source in tqdm(sources, "opinions", unit="room"):
        found = room_opinions(Room.open(source), robots(source.name), every)
        rows += [(*row, place_of(source.name)) for row in found]
    if not rows:
        raise ValueError("no piece whose class is beyond doubt in any room")
    return Opinions(*map(np.array, zip(*rows, strict=True)))


def room_opinions(room: Room, robot: Pipeline, every: int) -> Iterator[tuple]:
    """Yield (crop's, frame's, true label) of the pieces that a robot finds in a Room."""
    for frame, truth in room.frames_with_truth(every):
        found = robot.segment(frame)
        crops = robot.classify.crop_scores(found)
        for obj, crop in zip(found.objects, crops, strict=True):
            shown = truth.instances[(found.instances == obj.id) & (frame.depth > 0)]
            label = true_label(shown, truth.categories)
            if label and crop:
                both = ([scores.get(c, 0.0) for c in LABELS] for scores in (crop, obj.class_scores))
                yield *both, LABELS.index(label)


def true_label(ids: np.ndarray, categories: dict) -> str:
    """Class of what PURE of the pixels `ids` (n,) show, OTHER for no furniture, "" in doubt."""
    values, counts = np.unique(ids, return_counts=True)
    best = int(counts.argmax())
    category = categories.get(int(values[best]))
    if category is None or category.kind == "unknown":
        return ""
    if category.kind == "furniture":
        return category.label if counts[best] >= PURE * len(ids) else ""
    kinds = [getattr(categories.get(int(v)), "kind", "unknown") for v in values]
    rest = counts[[kind not in ("furniture", "unknown") for kind in kinds]].sum()
    return OTHER if rest >= PURE * len(ids) else ""


def fit_pooling(found: Opinions) -> Pooling:
    """The weights that make the true labels most likely, and the least `other` that FALSE allows.

    The most likely `other` turns more furniture away than a few false pieces are worth. It is not
    taken below 0, where nothing is added to what the networks say.
    """
    likely = likeliest(found)
    biases = np.linspace(min(likely.other, 0), likely.other + 2, 81)
    shown = [joined(found, replace(likely, other=b)).argmax(1) != OTHER_AT for b in biases]
    false = [np.mean(found.labels[s] == OTHER_AT) if s.any() else 0.0 for s in shown]
    allowed = biases[np.array(false) <= FALSE]
    return replace(likely, other=round(float(allowed.min(initial=biases[-1])), 3))


def likeliest(found: Opinions) -> Pooling:
    """The Pooling that makes the true labels most likely."""
    _, place, count = np.unique(found.places, return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(count)[place]  # a place's views are much alike
    weight /= weight.sum()

    def loss(x):
        log_p = joined(found, Pooling(*x))
        return -(weight * log_p[np.arange(len(place)), found.labels]).sum()

    best = minimize(loss, (0.5, 0.5, 0.0), bounds=[(0, 3), (0, 3), (-3, 3)])
    return Pooling(*(round(float(v), 3) for v in best.x))


def joined(found: Opinions, pooling: Pooling) -> np.ndarray:
    """(N, len(LABELS)) logarithms of what context.pooled makes of Opinions."""
    logs = pooling.crop * np.log(found.crop + LEAST) + pooling.frame * np.log(found.frame + LEAST)
    logs[:, OTHER_AT] += pooling.other
    logs -= logs.max(1, keepdims=True)
    return logs - np.log(np.exp(logs).sum(1, keepdims=True))


def left_out(found: Opinions) -> np.ndarray:
    """(N, len(LABELS)) as joined, each place with the Pooling of the others."""
    out = np.zeros_like(found.crop)
    for place in np.unique(found.places):
        mine = found.places == place
        out[mine] = joined(found.of(mine), fit_pooling(found.of(~mine)))
    return out


def figures(log_p: np.ndarray, labels: np.ndarray) -> dict:
    """Shares of Opinions told right, and how well probabilities mean what they say."""
    chosen, furniture = log_p.argmax(1), labels != OTHER_AT
    best = np.delete(log_p, OTHER_AT, 1).argmax(1)  # OTHER is the last of LABELS
    return {
        "right": float(np.mean(chosen == labels)),
        "furniture_right": float(np.mean(chosen[furniture] == labels[furniture])),
        "of_11": float(np.mean(best[furniture] == labels[furniture])),
        "others_rejected": float(np.mean(chosen[~furniture] == OTHER_AT)),
        "nll": float(-log_p[np.arange(len(labels)), labels].mean()),
        "calibration_error": reliability(np.exp(log_p.max(1)), chosen == labels)[1],
    }


def judge(found: Opinions) -> dict:
    """Plain values: the fitted numbers, and what each way to join is worth."""
    fitted, ways = fit_pooling(found), {
        "crop alone": joined(found, Pooling(1, 0, 0)),
        "frame alone": joined(found, Pooling(0, 1, 0)),
        "both, equal weights": joined(found, Pooling()),
        "both, fitted on the other places": left_out(found),
    }  # fmt: skip
    return {
        "pieces": {c: int(np.sum(found.labels == k)) for k, c in enumerate(LABELS)},
        "places": sorted(map(str, np.unique(found.places))),
        "pooling": {"crop": fitted.crop, "frame": fitted.frame, "other": fitted.other},
        "ways": {name: figures(log_p, found.labels) for name, log_p in ways.items()},
    }


def markdown(record: dict) -> str:
    """What `judge` found as a page."""
    names = ("right", "furniture_right", "of_11", "others_rejected", "nll", "calibration_error")
    head = ["class by", "right of 12", "furniture right", "furniture right of 11",
            "others rejected", "-ln p", "calibration error"]  # fmt: skip
    rows = [[way, *(number(f[n], 3) for n in names)] for way, f in record["ways"].items()]
    pieces = record["pieces"]
    return "\n".join([
        "# Classes by crop and by frame",
        "",
        f"Pieces of frames of {len(record['places'])} places, of which {100 * PURE:.0f} % or more"
        f" is one thing: {sum(pieces.values()) - pieces[OTHER]} of furniture, {pieces[OTHER]} of"
        " anything else. Every place is seen by networks that were not trained on it. The robot"
        " takes both, with the weights that make the true classes most likely, and with as little"
        f" `other` as {100 * FALSE:.0f} % false pieces of furniture allow: "
        + ", ".join(f"{k} {v:g}" for k, v in record["pooling"].items()) + ".",
        "",
        *table(head, rows),
        "",
    ])  # fmt: skip


def write(record: dict, out: Path) -> str:
    """Write pooling.json and .md into a folder, made if missing; the text."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "pooling.json").write_text(json.dumps(rounded(record), indent=1) + "\n")
    text = markdown(record)
    (out / "pooling.md").write_text(text)
    return text
