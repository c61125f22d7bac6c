"""Scan2CAD's full_annotations.json, read and written.

The files' quaternions are wxyz; records hold xyzw. `bbox` is half the CAD's extents.
"""

import json
from pathlib import Path

import numpy as np

from roomcad_core.datasets.annotations import read_annotations as read_entries
from roomcad_offline.evaluation.records import SYMMETRY_TURNS, Annotations, Problem


def read_annotations(path):
    """Annotations of a full_annotations.json, in file order.

    Raises FileNotFoundError, or ValueError naming the file, the scan, the model and the field.
    """
    scans, models, problems, names = [], [], [], set()
    for number, entry in enumerate(read_entries(path)):
        at = f"{path}: [{number}]"
        name = _text(entry, "id_scan", at)
        at = f"{path}: {name}"
        if name in names:
            raise ValueError(f"{at}: id_scan: the scan occurs twice")
        names.add(name)
        scans.append({"name": name, **_trs(entry, at)})
        listed = entry.get("aligned_models")
        if not isinstance(listed, list):
            raise ValueError(f"{at}: aligned_models: got {type(listed).__name__}, expected a list")
        if entry.get("n_aligned_models", len(listed)) != len(listed):
            what = f"n_aligned_models: got {entry['n_aligned_models']}, the list has {len(listed)}"
            problems.append(Problem(str(path), name, what, "noted", "count"))
        for i, model in enumerate(listed):
            models.append((len(scans) - 1, _model(model, f"{at}: aligned_models[{i}]")))
    return _annotations(scans, models, str(path), tuple(problems))


def _annotations(scans, models, file, problems):
    def column(name, width):
        return np.array([m[name] for _, m in models], float).reshape(-1, width)

    def words(name):
        return np.array([m[name] for _, m in models], str)

    return Annotations(
        scenes=tuple(scan["name"] for scan in scans),
        scan_t=np.array([s["t"] for s in scans], float).reshape(-1, 3),
        scan_q=np.array([s["q"] for s in scans], float).reshape(-1, 4),
        scan_s=np.array([s["s"] for s in scans], float).reshape(-1, 3),
        scene_index=np.array([i for i, _ in models], int),
        **{name: words(name) for name in ("category", "cad_id", "symmetry")},
        **{name: column(name, width) for name, width in (("t", 3), ("q", 4), ("s", 3))},
        **{name: column(name, 3) for name in ("center", "bbox")},
        keypoints=tuple(m["keypoints"] for _, m in models),
        file=file,
        problems=problems,
    )


def _model(model, at):
    """Plain values of one aligned model."""
    if not isinstance(model, dict):
        raise ValueError(f"{at}: got {type(model).__name__}, expected an object")
    symmetry = _text(model, "sym", at)
    if symmetry not in SYMMETRY_TURNS:
        raise ValueError(f"{at}: sym: got {symmetry!r}, expected one of {list(SYMMETRY_TURNS)}")
    category = str(model.get("catid_cad", ""))
    if not (category.isdecimal() and len(category) <= 8):
        raise ValueError(f"{at}: catid_cad: got {category!r}, expected a synset of 8 digits")
    missing = [np.nan] * 3
    return {
        "category": category.zfill(8),
        "cad_id": _text(model, "id_cad", at),
        "symmetry": symmetry,
        "center": vector(model, "center", 3, at) if "center" in model else missing,
        "bbox": vector(model, "bbox", 3, at) if "bbox" in model else missing,
        "keypoints": _keypoints(model, at),
        **_trs(model, at),
    }


def _keypoints(model, at):
    """Pair (scan (K, 3), cad (K, 3)) or None where the model carries none."""
    if "keypoints_scan" not in model or "keypoints_cad" not in model:
        return None
    pair = []
    for name in ("keypoints_scan", "keypoints_cad"):
        try:
            n = int(model[name]["n_keypoints"])
            pair.append(np.array(model[name]["position"], float).reshape(n, 3))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{at}: {name}: not n_keypoints x 3 numbers ({error})") from None
    return tuple(pair)


def _trs(entry, at):
    trs = entry.get("trs")
    if not isinstance(trs, dict):
        raise ValueError(f"{at}: trs: got {type(trs).__name__}, expected an object")
    t = vector(trs, "translation", 3, f"{at}: trs")
    q = vector(trs, "rotation", 4, f"{at}: trs")
    s = vector(trs, "scale", 3, f"{at}: trs")
    if not np.linalg.norm(q) > 0:
        raise ValueError(f"{at}: trs: rotation: got {q.tolist()}, expected a quaternion wxyz")
    if not (s != 0).all():
        raise ValueError(f"{at}: trs: scale: got {s.tolist()}, expected three factors, none 0")
    return {"t": t, "q": np.roll(q, -1), "s": s}


def _text(entry, name, at):
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{at}: {name}: got {value!r}, expected a text")
    return value


def vector(entry, name, size, at):
    """(size,) float64 of a field; ValueError naming it where it is not `size` finite numbers."""
    try:
        value = np.array(entry[name], float)
    except KeyError:
        raise ValueError(f"{at}: {name}: missing") from None
    except (TypeError, ValueError):
        value = None
    if value is None or value.shape != (size,) or not np.isfinite(value).all():
        raise ValueError(f"{at}: {name}: got {entry[name]}, expected {size} finite numbers")
    return value


def write_annotations(annotations, path):
    """Write a full_annotations.json; unknown centres, boxes and keypoints are left out."""
    a = annotations
    entries = [
        {
            "id_scan": name,
            "trs": _trs_entry(a.scan_t[i], a.scan_q[i], a.scan_s[i]),
            "n_aligned_models": 0,
            "aligned_models": [],
        }
        for i, name in enumerate(a.scenes)
    ]
    for row, scene in enumerate(a.scene_index):
        entries[scene]["aligned_models"].append(_model_entry(a, row))
        entries[scene]["n_aligned_models"] += 1
    Path(path).write_text(json.dumps(entries) + "\n", encoding="utf-8")


def _trs_entry(t, q, s):
    rotation = np.roll(q, 1).tolist()
    return {"translation": t.tolist(), "rotation": rotation, "scale": s.tolist()}


def _model_entry(a, row):
    entry = {
        "trs": _trs_entry(a.t[row], a.q[row], a.s[row]),
        "sym": str(a.symmetry[row]),
        "catid_cad": str(a.category[row]),
        "id_cad": str(a.cad_id[row]),
    }
    for name, value in (("center", a.center[row]), ("bbox", a.bbox[row])):
        if np.isfinite(value).all():
            entry[name] = value.tolist()
    pair = None if a.keypoints is None else a.keypoints[row]
    if pair is not None:
        for name, points in zip(("keypoints_scan", "keypoints_cad"), pair, strict=True):
            entry[name] = {"n_keypoints": len(points), "position": points.ravel().tolist()}
    return entry
