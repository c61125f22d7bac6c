"""AP^mesh: average precision of posed CADs, right where F1 of the surfaces exceeds a threshold.

A prediction is right if its class is the object's, F1 > threshold and no better scored prediction
has taken the object. Per class: VOC's all-point interpolated average precision over predictions
sorted by score; then the mean over the classes that have objects. AP50 uses the threshold 0.5,
APmean the mean of ten thresholds 0.50, 0.55, ... 0.95.

Decided here: an object is the one that association by box finds (largest IoU, which has to exceed
`min_iou`; Mesh R-CNN's 0.3 by default, 0 leaves that test out); predictions that mean an object
which does not count are left out, as in image_accuracy; equal scores keep the file order; bad
rows and predictions without a mesh are wrong at their score, a score that is no number sorts last.
"""

from __future__ import annotations

import functools
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from tqdm import tqdm

from roomcad_offline.evaluation.cad_meshes import CadMeshes
from roomcad_offline.evaluation.image_accuracy import class_name
from roomcad_offline.evaluation.image_association import rows_by
from roomcad_offline.evaluation.image_predictions import matrices_of
from roomcad_offline.evaluation.mesh_f1 import MeshJob, MeshRule, SurfaceSampler, score_job
from roomcad_offline.evaluation.poses import matrices

MIN_IOU = 0.3  # Mesh R-CNN's box test
THRESHOLDS = tuple(np.round(np.arange(0.5, 0.96, 0.05), 2).tolist())
CHUNKS = 16  # pieces of work for each process: enough to keep all busy to the end


@dataclass(frozen=True, eq=False)
class MeshScores:
    """F1 of N predictions against the objects they mean."""

    f1: np.ndarray  # (N, R) one column a radius; 0 where there is no object
    radii: tuple[float, ...]
    failed: tuple[tuple[int, str], ...]  # (row, reason) of predictions that have no mesh


def mesh_scores(predictions, judged, folder, boxes, rule=None, processes=1, min_iou=MIN_IOU):
    """MeshScores of predictions, computed in `processes` processes with a progress bar.

    Args:
        predictions: of image_predictions.prepare; judged: image_accuracy.Judged of them.
        folder, boxes: what cad_meshes.CadMeshes takes.
        rule: MeshRule.
        min_iou: pairs of a smaller box IoU are not scored.
    """
    rule = rule or MeshRule()
    jobs = mesh_jobs(predictions, judged, min_iou)
    f1, failed = np.zeros((len(predictions), len(rule.radii))), []
    count = sum(len(job.rows) for job in jobs)
    with tqdm(total=count, desc="AP mesh", unit="pair") as bar:
        for job, (scores, without) in _scored(jobs, folder, boxes, rule, processes):
            f1[job.rows] = scores
            failed += without
            bar.update(len(job.rows))
    return MeshScores(f1, rule.radii, tuple(sorted(failed)))


def mesh_jobs(predictions, judged, min_iou=MIN_IOU):
    """MeshJobs, one an annotated object, sorted by CAD so that meshes are read once."""
    rows = (judged.index >= 0) & (judged.iou > min_iou) & ~predictions.bad & ~judged.ignored
    rows = np.flatnonzero(rows)
    truth, true_rows = judged.truth, judged.index[rows]
    unit = np.ones((len(rows), 3))
    T_cam_true = matrices(truth.t[true_rows], truth.q[true_rows], unit)
    M_true_cad = np.linalg.inv(T_cam_true) @ matrices_of(predictions)[rows]
    keys = [(truth.scene[i], int(truth.model[i])) for i in true_rows]
    jobs = []
    for group in rows_by(keys).values():
        first = true_rows[group[0]]
        mine = rows[group]
        cads = zip(predictions.category[mine], predictions.cad_id[mine], strict=True)
        cads = tuple((str(category), str(cad_id)) for category, cad_id in cads)
        key = str(truth.category[first]), str(truth.cad_id[first])
        jobs.append(MeshJob(*key, truth.s[first], mine, cads, M_true_cad[group]))
    return sorted(jobs, key=lambda job: (job.category, job.cad_id))


def _scored(jobs, folder, boxes, rule, processes):
    """Yield (job, its scores); in this process or in several."""
    keys = {cad for job in jobs for cad in (*job.cads, (job.category, job.cad_id))}
    boxes = {key: boxes[key] for key in keys if key in boxes}
    if processes <= 1:
        score = _Scorer(folder, boxes, rule)
        yield from ((job, score(job)) for job in jobs)
        return
    chunks = _chunks(jobs, processes * CHUNKS)
    # Fresh processes: Open3D's threads, if it was used before, do not survive a fork.
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        work = functools.partial(_score_chunk, folder, boxes, rule)
        for chunk, scores in zip(chunks, pool.map(work, chunks), strict=True):
            yield from zip(chunk, scores, strict=True)


def _chunks(jobs, count):
    """`jobs` cut into at most about `count` runs with equal numbers of predictions."""
    size = sum(len(job.rows) for job in jobs) / count
    chunks, held = [[]], 0
    for job in jobs:
        if held >= size:
            chunks.append([])
            held = 0
        chunks[-1].append(job)
        held += len(job.rows)
    return chunks


def _score_chunk(folder, boxes, rule, jobs):
    score = _Scorer(folder, boxes, rule)
    return [score(job) for job in jobs]


class _Scorer:
    """score_job with a sampler of its own; a true CAD without a mesh fails all its pairs."""

    def __init__(self, folder, boxes, rule):
        self._sampler, self._rule = SurfaceSampler(CadMeshes(folder, boxes), rule), rule

    def __call__(self, job):
        try:
            return score_job(job, self._sampler, self._rule)
        except (KeyError, ValueError) as error:
            reason = f"the true CAD has no usable mesh: {error.args[0]}"
            scores = np.zeros((len(job.rows), len(self._rule.radii)))
            return scores, [(int(row), reason) for row in job.rows]


def ap_mesh(predictions, judged, scores, thresholds=THRESHOLDS):
    """AP tables of MeshScores.

    Returns:
        list, one dict a radius: "rho", "AP50" and "APmean" [%] averaged over classes, "classes"
        {name: {"objects", "AP50", "APmean"}}.
    """
    truth = judged.truth
    used = ~judged.ignored
    categories = sorted(set(truth.category[truth.counts].tolist()))
    tables = []
    for column, radius in enumerate(scores.radii):
        classes = {}
        for category in categories:
            rows = np.flatnonzero(used & (predictions.category == category))
            objects = int((truth.counts & (truth.category == category)).sum())
            f1, index = scores.f1[rows, column], judged.index[rows]
            ap = [
                100 * class_ap(predictions.score[rows], f1 > t, index, objects) for t in thresholds
            ]
            classes[class_name(category)] = {
                "objects": objects,
                "AP50": ap[thresholds.index(0.5)],
                "APmean": float(np.mean(ap)),
            }
        tables.append({"rho": radius, **_means(classes), "classes": classes})
    return tables


def _means(classes):
    """AP50 and APmean over classes; None without any class."""
    names = ("AP50", "APmean")
    if not classes:
        return dict.fromkeys(names)
    return {name: float(np.mean([c[name] for c in classes.values()])) for name in names}


def class_ap(score, close, index, objects):
    """Average precision in 0-1 of one class at one threshold.

    Args:
        score: (n,); NaN sorts last.
        close: (n,) bool, F1 above the threshold.
        index: (n,) the object each prediction means.
        objects: number of objects of the class.
    """
    order = np.argsort(-np.nan_to_num(score, nan=-np.inf), kind="stable")
    candidates = np.flatnonzero(close[order])
    _, first = np.unique(index[order][candidates], return_index=True)
    right = np.zeros(len(order), bool)
    right[candidates[first]] = True
    return average_precision(right, objects)


def average_precision(right, objects):
    """Area under VOC's all-point interpolated precision-recall curve.

    right: (n,) bool of the predictions, best score first; objects: how many there are to find.
    """
    if not objects:
        raise ValueError("average precision needs at least one object")
    if not len(right):
        return 0.0
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[right].sum() / objects)
