"""ROCA's scan2cad_instances_{train,val}.json: annotated objects in images, COCO-like."""

import json
from pathlib import Path

import numpy as np

from roomcad_offline.evaluation.categories import ROCA_NAMES, synset
from roomcad_offline.evaluation.records import SYMMETRY_TURNS, Instances
from roomcad_offline.evaluation.roca_files import numbers, read_json, scene_and_frame

CATEGORY_IDS = {s: i for i, s in enumerate(sorted(ROCA_NAMES, key=ROCA_NAMES.get))}
TEXTS = ("scene", "frame", "category", "cad_id", "symmetry")
COUNTS = ("image_id", "instance_id", "alignment_id", "model_index")
ARRAYS = {"t": 3, "q": 4, "s": 3, "bbox": 4, "K": 9}


def read_instances(path):
    """Instances of the objects that carry a CAD; images without any stay in `images`.

    Raises ValueError naming the file, the record and the field.
    """
    file = read_json(path)
    for name in ("categories", "images", "annotations"):
        if not isinstance(file, dict) or not isinstance(file.get(name), list):
            raise ValueError(f"{path}: {name}: expected a list")
    synsets = _categories(file["categories"], path)
    images = {image["id"]: image for image in map(_image_checker(path), file["images"])}
    rows = []
    for i, entry in enumerate(file["annotations"]):
        at = f"{path}: annotations[{i}]"
        if not isinstance(entry, dict):
            raise ValueError(f"{at}: got {type(entry).__name__}, expected an object")
        if entry.get("is_cad", True):
            rows.append(_instance(entry, images, synsets, at))
    return Instances(
        **{name: np.array([row[name] for row in rows], str) for name in TEXTS},
        **{name: np.array([row[name] for row in rows], int) for name in COUNTS},
        **{
            name: np.array([row[name] for row in rows], float).reshape(
                (-1, 3, 3) if name == "K" else (-1, width)
            )
            for name, width in ARRAYS.items()
        },
        area=np.array([row["area"] for row in rows], float),
        segmentation=tuple(row["segmentation"] for row in rows),
        images=tuple(file["images"]),
        category_ids={category: number for number, category in synsets.items()},
        file=str(path),
    )


def _categories(entries, path):
    """{integer id: synset} of the file's categories."""
    out = {}
    for i, entry in enumerate(entries):
        try:
            out[int(entry["id"])] = synset(entry["name"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: categories[{i}]: {error}") from None
    return out


def _image_checker(path):
    """Function that returns an image record once its id and file name are right."""

    def check(image):
        if not isinstance(image, dict) or not isinstance(image.get("id"), int):
            raise ValueError(f"{path}: images: got {image!r}, expected an object with an id")
        if not isinstance(image.get("file_name"), str):
            raise ValueError(f"{path}: images: id {image['id']}: file_name: missing")
        scene_and_frame(image["file_name"], path)
        return image

    return check


def _instance(entry, images, synsets, at):
    """Plain values of one annotation."""
    for name, known in (("image_id", images), ("category_id", synsets)):
        if entry.get(name) not in known:
            raise ValueError(f"{at}: {name}: got {entry.get(name)!r}, which the file does not list")
    model = entry.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("id_cad"), str):
        raise ValueError(f"{at}: model: id_cad: missing")
    if entry.get("sym") not in SYMMETRY_TURNS:
        got = entry.get("sym")
        raise ValueError(f"{at}: sym: got {got!r}, expected one of {list(SYMMETRY_TURNS)}")
    scene, frame = scene_and_frame(images[entry["image_id"]]["file_name"], at)
    x, y, width, height = _finite(entry, "bbox", 4, at)
    return {
        "scene": scene,
        "frame": frame,
        "image_id": entry["image_id"],
        "instance_id": int(entry.get("id", -1)),
        "category": synsets[entry["category_id"]],
        "cad_id": model["id_cad"],
        "symmetry": entry["sym"],
        "alignment_id": int(entry.get("alignment_id", -1)),
        "model_index": int(model.get("idx", -1)),
        "t": _finite(entry, "t", 3, at),
        "q": np.roll(_finite(entry, "q", 4, at), -1),
        "s": _finite(entry, "s", 3, at),
        "bbox": np.array([x, y, x + width, y + height]),
        "area": float(_finite(entry, "area", None, at)) if "area" in entry else width * height,
        "K": _intrinsics(entry, at),
        "segmentation": entry.get("segmentation"),
    }


def _finite(entry, name, size, at):
    value = numbers(entry, name, size, at)
    if not np.isfinite(value).all():
        raise ValueError(f"{at}: {name}: got {entry[name]}, expected finite numbers")
    return value


def _intrinsics(entry, at):
    """(9,) of the 3x3 intrinsics."""
    try:
        K = np.array(entry["intrinsics"], float)
    except (KeyError, TypeError, ValueError):
        K = np.zeros(0)
    if K.shape != (3, 3) or not np.isfinite(K).all():
        raise ValueError(f"{at}: intrinsics: got {entry.get('intrinsics')}, expected 3x3 numbers")
    return K.ravel()


def write_instances(instances, path):
    """Write a scan2cad_instances_*.json."""
    ids = instances.category_ids or CATEGORY_IDS
    file = {
        "categories": [{"name": ROCA_NAMES.get(s, s), "id": n} for s, n in ids.items()],
        "images": list(instances.images),
        "annotations": [_entry(instances, row, ids) for row in range(len(instances))],
    }
    Path(path).write_text(json.dumps(file) + "\n", encoding="utf-8")


def _entry(p, row, ids):
    x0, y0, x1, y1 = p.bbox[row].tolist()
    entry = {
        "id": int(p.instance_id[row]),
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": float(p.area[row]),
        "iscrowd": 0,
        "image_id": int(p.image_id[row]),
        "category_id": ids[str(p.category[row])],
        "scene_id": str(p.scene[row]),
        "is_cad": True,
        "intrinsics": p.K[row].tolist(),
        "alignment_id": int(p.alignment_id[row]),
        "q": np.roll(p.q[row], 1).tolist(),
        "s": p.s[row].tolist(),
        "t": p.t[row].tolist(),
        "sym": str(p.symmetry[row]),
        "model": {
            "scene_id": str(p.scene[row]),
            "catid_cad": str(p.category[row]),
            "id_cad": str(p.cad_id[row]),
            "idx": int(p.model_index[row]),
        },
    }
    if p.segmentation is not None and p.segmentation[row] is not None:
        entry["segmentation"] = p.segmentation[row]
    return entry
