"""Scores of written predictions: per scene, fused over time, per image, and AP mesh.

FOLDER/predictions/NAME/scores.json keeps them; they are made anew when the predictions change.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np

from roomcad_offline.evaluation.annotations import read_annotations
from roomcad_offline.evaluation.appearances import read_appearances
from roomcad_offline.evaluation.cad_meshes import CadMeshes, boxes_of
from roomcad_offline.evaluation.csv_files import write_raw_results
from roomcad_offline.evaluation.image_evaluation import TruthSource, evaluate, frames_truth
from roomcad_offline.evaluation.image_truth_file import fingerprint, load_truth, save_truth
from roomcad_offline.evaluation.records import SYMMETRY_TURNS
from roomcad_offline.evaluation.roca_files import read_json, read_per_frame
from roomcad_offline.evaluation.scannet25k import FrameTree, read_split
from roomcad_offline.evaluation.scene_eval import evaluate_scenes
from roomcad_offline.evaluation.scene_rules import PRESETS
from roomcad_offline.evaluation.to_scan import scene_predictions
from roomcad_offline.room_benchmark.config import (
    ANNOTATIONS,
    APPEARANCES,
    CATEGORIES,
    FRAMES,
    FUSED,
    PREDICTIONS,
    SPLIT,
)
from roomcad_offline.room_benchmark.fuse import fuse
from roomcad_offline.room_benchmark.records import extra_numbers, rescored

VERSION = 1
TRUTH = "image_truth.npz"


def finished(folder):
    """Names of all complete predictions of a benchmark folder, sorted."""
    return sorted(path.parent.name for path in folder.glob(f"predictions/*/{PREDICTIONS}"))


def score_run(built, name, mesh=False, processes=1):
    """The scores of a run; those on disk where nothing changed.

    Args:
        built: Built.
        name: of the predictions.
        mesh: AP mesh, too; it takes minutes.
        processes: for what is rendered and sampled.

    Returns:
        dict: "scene" {way: {preset: figures}}, where a way is "best frame" (3D NMS by sigma),
        "best frame, 2D score" or "fused"; "image", "calibration", "selection", "passes" (mean
        network passes an object); "mesh" if asked for.
    """
    folder = built.folder / "predictions" / name
    path, made_from = folder / "scores.json", _digest(built, folder)
    old = read_json(path) if path.exists() else {}
    if old.get("made_from") == made_from and ("mesh" in old or not mesh):
        return old
    predictions = read_per_frame(folder / PREDICTIONS)
    scores = {"made_from": made_from, "predictions": len(predictions)}
    scores |= {"variant": read_json(folder / "variant.json")}
    scores["scene"] = scene_scores(built, predictions, folder / FUSED)
    scores |= image_scores(built, predictions, mesh, processes)
    passes = extra_numbers(predictions, "passes")
    scores["passes"] = float(np.nanmean(passes)) if np.isfinite(passes).any() else None
    path.write_text(json.dumps(scores, indent=1) + "\n")
    return scores


def scene_scores(built, predictions, fused_path):
    """{way to one pose an object: {preset: figures}}; writes the fused poses."""
    annotations = read_annotations(built.folder / ANNOTATIONS)
    tree = FrameTree(built.folder / FRAMES)
    in_scan = scene_predictions(predictions, tree.pose)
    ways = {"best frame": in_scan}
    score_2d = extra_numbers(in_scan, "score_2d")
    if np.isfinite(score_2d).any():
        ways["best frame, 2D score"] = rescored(in_scan, score_2d)
    fused = fuse(in_scan, built.library)
    write_raw_results(fused, fused_path)
    ways["fused"] = fused
    given = {
        "appearances": read_appearances(built.folder / APPEARANCES),
        "split": read_split(built.folder / SPLIT),
        "library": symmetries(built.library),
    }
    return {
        way: {p: figures(evaluate_scenes(rows, annotations, rules(p), **given)) for p in PRESETS}
        for way, rows in ways.items()
    }


def rules(preset):
    """SceneRules of a preset, with 3D NMS by score in all of them: rows are of single frames, and
    Scan2CAD's own evaluator takes one row an object for granted."""
    return dataclasses.replace(PRESETS[preset], nms=True, order="score")


def symmetries(library):
    """{(category, CAD id): Scan2CAD's symmetry name} of the models of the nine classes."""
    from roomcad_core.pose import SYMMETRIES

    names = {turns: name for name, turns in SYMMETRY_TURNS.items()}
    return {
        (CATEGORIES[m.label], m.id): names[SYMMETRIES[m.symmetry]]
        for m in library
        if m.label in CATEGORIES
    }


def figures(result):
    """Plain figures of a SceneResult."""
    classes = {
        name: {"n": total, "accuracy": result.accuracy(name)}
        for name, (_, total) in result.classes.items()
    }
    return {
        "classes": classes,
        "class": result.class_mean(),
        "instance": result.instance_mean(),
        "n": sum(row["n"] for row in classes.values()),
        "states": dict(result.counts),
    }


def image_scores(built, predictions, mesh, processes):
    """Per-image figures, what sigma is worth, and AP mesh where asked for."""
    annotations = read_annotations(built.folder / ANNOTATIONS)
    boxes = boxes_of(annotations)
    truth = image_truth(built, annotations, processes)
    meshes = CadMeshes(built.folder / "library", boxes)
    result = evaluate(predictions, truth, meshes=meshes)
    table = result.accuracy["mean_of_abs"]
    out = {
        "image": {
            "frames": result.frames,
            "class": table["class"],
            "instance": table["instance"],
            "classes": table["classes"],
        },
        "calibration": result.calibration,
        "selection": result.selection,
    }
    return out | ({"mesh": mesh_tables(built, result, boxes, processes)} if mesh else {})


def image_truth(built, annotations, processes=1):
    """The FrameTruth of the benchmark, rendered once and kept beside the annotations."""
    source = TruthSource(built.folder / FRAMES, built.folder / "library")
    made_from = fingerprint(built.folder / ANNOTATIONS, built.scenes)
    path = built.folder / TRUTH
    if path.exists():
        try:
            return load_truth(path, made_from)
        except ValueError:
            path.unlink()  # of a smaller benchmark
    truth = frames_truth(annotations, source, processes)
    save_truth(truth, path, made_from)
    return truth


def mesh_tables(built, result, boxes, processes):
    """AP tables of an ImageResult."""
    from roomcad_offline.evaluation.ap_mesh import ap_mesh, mesh_scores

    folder = built.folder / "library"
    scores = mesh_scores(result.predictions, result.judged, folder, boxes, None, processes)
    return ap_mesh(result.predictions, result.judged, scores)


def _digest(built, folder):
    """Text that changes with the predictions and with the truth."""
    parts = [VERSION]
    for path in (folder / PREDICTIONS, built.folder / ANNOTATIONS):
        parts.append(hashlib.sha256(path.read_bytes()).hexdigest())
    return " ".join(map(str, parts))


def summary(name, scores):
    """Lines of text with a run's main figures."""
    lines = [f"{name}: {scores['predictions']} predictions"]
    for way, presets in scores["scene"].items():
        shown = ", ".join(f"{p} {f['class']:.1f} / {f['instance']:.1f}" for p, f in presets.items())
        lines.append(f"  per scene, {way}: class / instance {shown}")
    image = scores["image"]
    for side in ("predictions", "objects"):
        both = (image[kind][side] for kind in ("class", "instance"))
        text = " / ".join("-" if value is None else f"{value:.1f}" for value in both)
        lines.append(f"  per image, of {side}: class / instance {text}")
    return "\n".join(lines)
