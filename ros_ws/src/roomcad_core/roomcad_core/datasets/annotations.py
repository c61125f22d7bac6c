"""Ground truth in the layout of Scan2CAD's full_annotations.json.

Scan2CAD maps scan and CAD into a common y-up world: M = T·R·diag(s) each, quaternions wxyz.
A CAD point p (file coordinates) is at inv(M_scan)·M_cad·p in the scan, and the CAD's bounding
box is `center` ± `bbox`. Our CAD frame is that box brought to centre 0 and extents 1, so
    M_scan_obj = inv(M_scan) · M_cad · translate(center) · diag(2·bbox).
"""

import json
from pathlib import Path

import numpy as np

from roomcad_core.classes import SYNSETS
from roomcad_core.pose import SYMMETRIES, affine, decompose, rigid, rotation
from roomcad_core.types import OTHER, Placed

FILE = "full_annotations.json"
SYMMETRY_NAMES = dict(
    zip(
        ("__SYM_NONE", "__SYM_ROTATE_UP_2", "__SYM_ROTATE_UP_4", "__SYM_ROTATE_UP_INF"),
        SYMMETRIES,
        strict=True,
    )
)
LABELS = {synset: label for label, synset in SYNSETS.items()}


def read_ground_truth(folder):
    """Placed models of the scan in `folder`, in the order of the file, world = scan frame.

    The entry is the one whose id_scan is the folder's name, or the only one of the file.
    Placed.id counts from 1 in file order; a category that is none of ours is labelled "other".
    """
    path = Path(folder) / FILE
    entries = read_annotations(path)
    name = Path(folder).resolve().name
    chosen = entries if len(entries) == 1 else [e for e in entries if e.get("id_scan") == name]
    if len(chosen) != 1:
        known = ", ".join(str(e.get("id_scan")) for e in entries[:5])
        raise ValueError(f"{path}: no entry for scan {name}; it has {known} ...")
    return placed_models(chosen[0], path)


def read_annotations(path):
    """List of the scans' entries in a full_annotations.json, as plain values."""
    try:
        entries = json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not readable as JSON ({error})") from None
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise ValueError(f"{path}: expected a list of scans")
    return entries


def placed_models(entry, source):
    """Tuple of Placed, in the scan frame, of one scan's entry; `source` names the file."""
    try:
        M_world_scan = matrix(entry["trs"])
        models = entry["aligned_models"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{source}: scan {entry.get('id_scan')}: {_reason(error)}") from None
    placed = []
    for number, model in enumerate(models, start=1):
        try:
            placed.append(_placed(number, model, M_world_scan))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{source}: model {number}: {_reason(error)}") from None
    return tuple(placed)


def matrix(trs):
    """(4, 4) M = T·R·diag(s) of a `trs` entry (rotation wxyz)."""
    w, x, y, z = vector(trs["rotation"], 4)
    T = rigid(rotation((x, y, z, w)), vector(trs["translation"], 3))
    return affine(T, vector(trs["scale"], 3))


def vector(values, size):
    """(size,) float64; ValueError if the number or the values are wrong."""
    out = np.array(values, float)
    if out.shape != (size,) or not np.isfinite(out).all():
        raise ValueError(f"got {values}, expected {size} finite numbers")
    return out


def _placed(number, model, M_world_scan):
    box = rigid(np.eye(3), vector(model["center"], 3)) @ np.diag(
        [*2 * vector(model["bbox"], 3), 1.0]
    )
    T, S = decompose(np.linalg.inv(M_world_scan) @ matrix(model["trs"]) @ box)
    if model["sym"] not in SYMMETRY_NAMES:
        raise ValueError(f"sym: got {model['sym']}, expected one of {', '.join(SYMMETRY_NAMES)}")
    return Placed(
        id=number,
        label=LABELS.get(str(model["catid_cad"]), OTHER),
        cad_id=str(model["id_cad"]),
        T_world_obj=T,
        S=S,
        symmetry=SYMMETRY_NAMES[model["sym"]],
    )


def _reason(error):
    return f"field {error} is missing" if isinstance(error, KeyError) else str(error)
