"""What the deployed classifier is measured by: real objects, rooms, calibration, retrieval."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from roomcad_core.library import Library
from roomcad_core.types import OTHER
from roomcad_offline.classifier import calibrate, real, retrieval, rooms_test
from roomcad_offline.classifier.data import room_folders, room_library
from roomcad_offline.classifier.room_crops import room_crops
from roomcad_offline.classifier.samples import LABELS
from roomcad_offline.scan_gap.clouds import data_folder

# Real objects at hand: file, variant, the accuracy we ask for.
REAL = (
    ("real_scannet_dev.npz", "obj_only", 0.80),
    ("real_scannet_dev.npz", "obj_bg", 0.75),
    ("real_sunrgbd_dev.npz", "obj_bg", 0.65),
)


@dataclass(frozen=True)
class RoomSet:
    """Crops of simulated rooms and what a network says of them."""

    crops: list
    probabilities: np.ndarray
    embeddings: np.ndarray

    @property
    def labels(self):
        return rooms_test.true_labels(self.crops)

    @property
    def logits(self):
        return np.log(np.maximum(self.probabilities, 1e-12))

    def decided(self):
        """(N,) bool: crops whose right answer is beyond doubt."""
        return np.array([c.kind not in ("mixed", "partial") for c in self.crops])


def room_set(network, crops):
    """RoomSet of a CropNetwork."""
    return RoomSet(crops, *rooms_test.crop_outputs(network, crops))


def read_crops(folder, name):
    """List of RoomCrops of a set of simulated rooms."""
    folders = room_folders(folder, name)
    if not folders:
        raise FileNotFoundError(f"{folder}/rooms/{name}: no rooms; `classifier data` makes them")
    return list(room_crops(tqdm(folders, f"crops {name}", unit="room"), room_library(folders[0])))


def calibration(rooms):
    """{temperature, other_bias} from a RoomSet of validation rooms (network uncalibrated)."""
    decided = rooms.decided()
    logits, labels = rooms.logits[decided], rooms.labels[decided]
    bias = calibrate.fit_other_bias(logits, labels)
    logits = logits.copy()
    logits[:, LABELS.index(OTHER)] += bias
    return {"temperature": calibrate.fit_temperature(logits, labels), "other_bias": bias}


def judge_real(network, data=None):
    """One record a real data set, `not run` where it is not on disk."""
    records = []
    for name, variant, bar in REAL:
        path = data_folder(data) / name
        if not path.is_file():
            records.append({"data": f"{name}/{variant}", "not_run": f"{path} is absent"})
            continue
        objects = real.read_real(path, variant)
        record = real.judge(real.probabilities(network, objects), objects)
        records.append({**record, "bar": bar})
    return records


def judge_calibration(rooms):
    """ECE and curve of the chosen label on a RoomSet."""
    decided = rooms.decided()
    p, labels = rooms.probabilities[decided], rooms.labels[decided]
    rows, ece = calibrate.reliability(p.max(1), p.argmax(1) == labels)
    return {"ece": ece, "curve": rows, "crops": int(decided.sum())}


def judge_all(network, folder, data=None):
    """Every figure of a CropNetwork; `folder` holds the simulated rooms (see data.py)."""
    test, val = (room_set(network, read_crops(folder, n)) for n in ("test", "val"))
    library = Library.load()
    own, foreign = (room_library(room_folders(folder, n)[0]) for n in ("test", "val"))
    return {
        "real": judge_real(network, data),
        "rooms": rooms_test.judge_rooms(test.probabilities, test.crops),
        "calibration": judge_calibration(test),
        "retrieval": {
            "exact CAD in the library": retrieval.judge_retrieval(
                network, library, test.crops, test.embeddings, own
            ),
            "exact CAD not in the library": retrieval.judge_retrieval(
                network, library, val.crops, val.embeddings, foreign
            ),
        },
    }


def save_json(record, path):
    """Write a record with numbers rounded to four digits."""
    Path(path).write_text(json.dumps(rounded(record), indent=1) + "\n")


def rounded(value):
    """The same nested record, floats with four digits."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(v) for v in value]
    return round(float(value), 4) if isinstance(value, (float, np.floating)) else value
