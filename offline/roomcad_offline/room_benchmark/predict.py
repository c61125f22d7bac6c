"""A method over all frames of the benchmark, once: FOLDER/predictions/NAME/per_frame_preds.json.

The file has ROCA's layout; every detection also carries `score_2d` (the detector's confidence),
`passes` (of the network) and, where several were tried, `initialisations`. Scenes are written one
by one, so an interrupted run goes on; variant.json beside them says what was run.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from roomcad_core.camera import project
from roomcad_core.config import INPUTS
from roomcad_core.library import models_folder
from roomcad_core.manifest import FILE
from roomcad_core.pose import affine, inverse, transform
from roomcad_offline.evaluation.annotations import read_annotations
from roomcad_offline.evaluation.image_association import box_iou
from roomcad_offline.evaluation.poses import decompose, matrices, quaternions, scan_poses
from roomcad_offline.evaluation.roca_files import read_json, write_per_frame
from roomcad_offline.evaluation.scannet25k import FrameTree
from roomcad_offline.multi_sparc.shipped import about_training, is_shipped
from roomcad_offline.room_benchmark.config import ANNOTATIONS, FRAMES, PREDICTIONS
from roomcad_offline.room_benchmark.frames import DetectedFrames
from roomcad_offline.room_benchmark.records import predictions
from roomcad_offline.room_benchmark.stack_method import StackMethod
from roomcad_offline.room_benchmark.variant import STACK

POINTS = 512  # of a CAD, for the overlap in the image
VISIBLE = 0.05  # [m] nearer points have no pixel
DIGITS = 7  # of the numbers in `initialisations`


def predict(built, name, variant, device="cpu"):
    """Run a Variant over a Built benchmark, or go on with it.

    Returns:
        Path of per_frame_preds.json.

    Raises:
        ValueError: FOLDER/predictions/NAME holds the predictions of another variant.
    """
    from tqdm import tqdm

    folder = built.folder / "predictions" / name
    rgb = rgb_input(variant, device)
    claim(folder / "variant.json", identity(built, variant, rgb))
    method = make_method(built, variant, device, rgb)
    frames = DetectedFrames(built, variant.detections)
    for scene in tqdm(built.scenes, f"predict {name}", unit="scene"):
        path = folder / "scenes" / f"{scene}.json"
        if path.exists():
            continue
        write_per_frame(method(scene, frames), path.with_suffix(".new"))
        path.with_suffix(".new").rename(path)
    whole = {}
    for scene in built.scenes:
        whole |= read_json(folder / "scenes" / f"{scene}.json")
    (folder / PREDICTIONS).write_text(json.dumps(whole) + "\n")
    return folder / PREDICTIONS


def make_method(built, variant, device, rgb=None):
    """Function (scene, DetectedFrames) -> Predictions of a Variant; `rgb`: RgbInput or None."""
    if variant.method == "gt":
        return TruthMethod(built)
    if variant.method in STACK:
        return OnDetections(StackMethod(variant, built.library), variant, rgb)
    from roomcad_offline.room_benchmark.network_method import NetworkMethod

    return OnDetections(NetworkMethod(variant, built.library, device), variant, rgb)


def rgb_input(variant, device):
    """RgbInput of a Variant; None where frames bring their depth along."""
    if variant.input != "rgb":
        return None
    from roomcad_offline.room_benchmark.rgb_input import RgbInput

    return RgbInput(variant, device)


class OnDetections:
    """Results of a method that aligns detections, as Predictions."""

    def __init__(self, method, variant, rgb=None):
        """`rgb`: RgbInput that the frames go through first, or None."""
        self._method, self._variant, self._rgb = method, variant, rgb

    def __call__(self, scene, frames):
        seen = frames.scene(scene)
        if self._rgb:
            seen = [self._rgb(one) for one in seen]
        rows = [
            row
            for one, results in zip(seen, self._method(seen), strict=True)
            for row in frame_rows(one, results, self._variant)
        ]
        return predictions(rows, [(scene, name) for name in frames.tree.frames(scene)])


def frame_rows(seen, results, variant):
    """Plain prediction rows of a frame's detections; one without a result stays where it began,
    with score 0, so that it is counted."""
    out = []
    for k, result in enumerate(results):
        d = seen.rows
        row = {name: getattr(d, name)[k] for name in ("scene", "frame", "category", "cad_id")}
        row |= {"bbox": d.bbox[k], "t": d.t[k], "q": d.q[k], "s": d.s[k], "score": 0.0}
        row["extra"] = {"score_2d": float(d.score[k]), "passes": 0}
        if result is not None:
            a = chosen(result, seen, k, variant.select)
            score = row["extra"]["score_2d"] if variant.select == "2d" else float(result.sigma[a])
            row |= {"t": result.T[a, :3, 3], "q": quaternions(result.T[a : a + 1, :3, :3])[0]}
            row |= {"s": result.S[a], "score": score}
            row["extra"] |= {"passes": result.passes} | tried(result)
        out.append(row)
    return out


def chosen(result, seen, k, select):
    """Number of the pose that is taken for detection k."""
    if select == "first":
        return 0
    if select == "sigma" or len(result.sigma) == 1:
        return result.best
    points, size = seen.models[k].points[:POINTS], seen.frame.depth.shape[::-1]
    boxes = np.full((len(result.T), 4), np.nan)
    for a, (T, S) in enumerate(zip(result.T, result.S, strict=True)):
        uv, z = project(transform(affine(T, S), points), seen.frame.K)
        if (z > VISIBLE).any():
            uv = uv[z > VISIBLE].clip(0, size)
            boxes[a] = *uv.min(0), *uv.max(0)
    return int(box_iou(boxes, seen.rows.bbox[k : k + 1])[:, 0].argmax())


def tried(result):
    """{"initialisations": what each led to}; empty for a single one."""
    if len(result.sigma) == 1:
        return {}
    q = np.roll(quaternions(result.T[:, :3, :3]), 1, axis=1)
    columns = result.sigma, result.T[:, :3, 3], q, result.S
    rounded = (np.round(c, DIGITS).tolist() for c in columns)
    names = "score", "t", "q", "s"
    entries = [dict(zip(names, values, strict=True)) for values in zip(*rounded, strict=True)]
    return {"initialisations": entries}


class TruthMethod:
    """Every annotated object of which a frame shows the centre, in its true pose, without a box:
    a perfect method scores 100 % with it, or the evaluation is wrong."""

    def __init__(self, built):
        self._a = read_annotations(built.folder / ANNOTATIONS)
        self._M = matrices(*scan_poses(self._a))
        self._tree = FrameTree(built.folder / FRAMES)

    def __call__(self, scene, frames):
        index = np.flatnonzero(self._a.scene == scene)
        names, rows = self._tree.frames(scene), []
        K, shape = self._tree.intrinsics(scene), None
        for name in names:
            shape = self._tree.depth(scene, name).shape if shape is None else shape
            M = inverse(self._tree.pose(scene, name)) @ self._M[index]
            t, q, s = decompose(M)
            uv, z = project(t, K)
            inside = (z > 0) & (uv >= 0).all(1) & (uv < shape[::-1]).all(1)
            rows += [self._row(scene, name, index[i], t[i], q[i], s[i])
                     for i in np.flatnonzero(inside)]  # fmt: skip
        return predictions(rows, [(scene, name) for name in names])

    def _row(self, scene, name, i, t, q, s):
        words = {"category": self._a.category[i], "cad_id": self._a.cad_id[i]}
        pose = {"t": t, "q": q, "s": s, "score": 1.0}
        return {"scene": scene, "frame": name, **words, **pose}


def identity(built, variant, rgb=None):
    """What decides the predictions: the variant, the detections and the weights."""
    values = {"variant": variant.values()}
    if rgb:
        values["rgb_sha256"] = rgb.checksums
    path = built.folder / "config.json"
    about = read_json(path)
    values["benchmark"] = {k: about[k] for k in ("version", "rooms", "detector", "seen_share")}
    if variant.method in STACK:
        values["models"] = hashlib.sha256((models_folder() / FILE).read_bytes()).hexdigest()
    elif variant.method != "gt":
        shipped = is_shipped(variant.method)
        checkpoint = Path(variant.method) if shipped else Path(variant.method) / "checkpoint.pt"
        if not checkpoint.is_file():
            raise FileNotFoundError(f"{checkpoint}: no such weights of a training")
        values["weights_sha256"] = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
        about = about_training if shipped else training
        values["training"] = about(Path(variant.method))
    return values


def training(run):
    """What is known of a training's folder: its preset, and its length so far from the log."""
    config = read_json(run / "config.json")
    about = {"preset": config["preset"], "images_a_step": config["images"]}
    if config["sampling"]["mode"] != INPUTS[0]:
        about["mode"] = config["sampling"]["mode"]
    log = run / "log.csv"
    if log.is_file():
        lines = log.read_text().splitlines()
        about["steps"] = int(float(lines[-1].split(",")[0])) if len(lines) > 1 else 0
    return about


def claim(path, wanted):
    """Write variant.json, or check that the folder's predictions are these."""
    wanted = json.loads(json.dumps(wanted))
    if path.exists():
        got = read_json(path)
        differs = [key for key in {*wanted, *got} if got.get(key) != wanted.get(key)]
        if differs:
            what = ", ".join(sorted(differs))
            raise ValueError(f"{path}: predictions of something else (other {what}): name another")
        return
    (path.parent / "scenes").mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(wanted, indent=1) + "\n")
