"""Truth for all frames of a folder, and the evaluation of one predictions file against it."""

from __future__ import annotations

import functools
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tqdm import tqdm

from roomcad_offline.evaluation.cad_meshes import CadMeshes, boxes_of
from roomcad_offline.evaluation.image_accuracy import ImageRule, both_scale_errors, judge
from roomcad_offline.evaluation.image_association import rows_by
from roomcad_offline.evaluation.image_predictions import box_shares, note_unknown_cads, prepare
from roomcad_offline.evaluation.image_selection import judged_selection
from roomcad_offline.evaluation.image_truth import join
from roomcad_offline.evaluation.image_truth_frames import TruthRule, models_by_scene, scene_truth
from roomcad_offline.evaluation.image_visibility import CadRenderer
from roomcad_offline.evaluation.records import Predictions
from roomcad_offline.evaluation.sigma_analysis import compare_scores

CHUNKS = 8  # pieces of work for each process


@dataclass(frozen=True)
class TruthSource:
    """Where frames and meshes are, and which objects of them count."""

    frames: Path  # folder with one ScanNet-style folder a scene
    library: Path  # CAD library or ShapeNetCore folder
    rule: TruthRule = field(default_factory=TruthRule)
    categories: tuple[str, ...] | None = None  # synsets; None = all
    images: tuple[tuple[str, str], ...] | None = None  # chosen (scene, frame); None = all


def frames_truth(annotations, source, processes=1):
    """FrameTruth of all frames of all annotated scenes that the frames folder holds.

    Args:
        annotations: records.Annotations; source: TruthSource.
        processes: how many to render in; a progress bar counts scenes.

    Raises ValueError naming the scenes that `source.images` asks for and that are not there.
    """
    models = models_by_scene(annotations, source.categories)
    scenes = _scenes(models, source)
    work = functools.partial(_truth_of, source=source, boxes=boxes_of(annotations))
    scenes = [(models[scene], frames) for scene, frames in scenes.items()]
    parts = []
    with tqdm(total=len(scenes), desc="truth", unit="scene") as bar:
        for done in _in_chunks(work, scenes, processes):
            parts += done
            bar.update(len(done))
    return join(parts)


def _scenes(models, source):
    """{scene: names of its frames, or None for all} of the scenes to render."""
    if source.images is None:
        there = {scene: None for scene in models if (source.frames / scene).is_dir()}
        if not there:
            raise ValueError(f"{source.frames}: holds none of the {len(models)} annotated scenes")
        return there
    asked = rows_by(scene for scene, _ in source.images)
    missing = [s for s in asked if s not in models or not (source.frames / s).is_dir()]
    if missing:
        raise ValueError(
            f"{source.frames}: {len(missing)} of {len(asked)} scenes of the image list have no "
            f"annotation or no folder: {', '.join(missing[:5])}"
        )
    return {s: [source.images[row][1] for row in rows] for s, rows in asked.items()}


def _in_chunks(work, items, processes):
    """Yield work(chunk) for runs of items, in order; in this process or in several."""
    if processes <= 1:
        yield from (work([item]) for item in items)
        return
    size = -(-len(items) // (processes * CHUNKS))
    chunks = [items[i : i + size] for i in range(0, len(items), size)]
    # Fresh processes: Open3D's threads do not survive a fork.
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from pool.map(work, chunks)


def _truth_of(scenes, source, boxes):
    """FrameTruths of (SceneModels, frame names) pairs."""
    renderer = _renderer(str(source.library), tuple(sorted(boxes.items())))
    return [
        scene_truth(models, source.frames / models.scene, renderer, source.rule, frames)
        for models, frames in scenes
    ]


@functools.lru_cache(maxsize=1)
def _renderer(library, boxes):
    """A process's renderer, kept from chunk to chunk with the meshes it has read."""
    return CadRenderer(CadMeshes(library, dict(boxes)))


@dataclass(frozen=True, eq=False)
class ImageResult:
    """What `evaluate` found; `judged` is by the rule's own scale error."""

    predictions: Predictions  # as prepared: in cam, bad rows marked
    judged: object  # image_accuracy.Judged
    accuracy: dict  # {scale error: image_accuracy.accuracy}
    calibration: dict  # {score: sigma_analysis.calibration}
    selection: dict | None  # image_selection.judged_selection
    frames: int
    hidden: dict  # {reason: number of objects that do not count}


@dataclass(frozen=True)
class Options:
    """How predictions are read."""

    frames: Path | None = None  # frames folder, for poses in the scan
    categories: tuple[str, ...] | None = None  # synsets that are evaluated; None = all
    listed: bool = False  # the truth is a chosen part of the frames: others are left out
    image_size: tuple[int, int] | None = None  # see image_predictions.box_shares


def evaluate(predictions, truth, rule=None, options=None, meshes=None):
    """ImageResult of records.Predictions against a FrameTruth.

    Args:
        rule: ImageRule; options: Options.
        meshes: cad_meshes.CadMeshes for predictions without a box; None = those mean no object.
    """
    rule, options = rule or ImageRule(), options or Options()
    prepared = prepare(predictions, truth, options.frames, options.categories, options.listed)
    if meshes is not None:
        prepared = note_unknown_cads(prepared, meshes)
    boxes = box_shares(prepared, truth, options.image_size, meshes)
    judged = judge(prepared, boxes, truth, rule)
    reasons, numbers = np.unique(truth.reason[~truth.counts], return_counts=True)
    return ImageResult(
        prepared,
        judged,
        both_scale_errors(prepared, boxes, truth, rule),
        compare_scores(usable_scores(prepared, judged), judged.right[~judged.ignored]),
        judged_selection(prepared, judged, rule),
        len(truth.frames),
        dict(zip(reasons.tolist(), numbers.tolist(), strict=True)),
    )


def usable_scores(predictions, judged):
    """{name: (M,)} scores in 0-1 of the predictions that are not ignored.

    The score itself, and every further number of the file whose name holds "score".
    """
    used = ~judged.ignored
    found = {"score": predictions.score[used]}
    extra = predictions.extra or ()
    for name in sorted({name for values in extra for name in values if "score" in name}):
        found[name] = np.array([_number(v.get(name)) for v in extra], float)[used]
    return {n: v for n, v in found.items() if len(v) and ((v >= 0) & (v <= 1)).all()}


def _number(value):
    return float(value) if isinstance(value, (int, float)) else np.nan
