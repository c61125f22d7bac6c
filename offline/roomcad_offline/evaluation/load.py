"""Prediction files of any known layout, recognised by what they are."""

from pathlib import Path

from roomcad_offline.evaluation.csv_files import (
    is_scene_file,
    read_raw_results,
    read_scene_csvs,
)
from roomcad_offline.evaluation.roca_files import read_per_frame
from roomcad_offline.evaluation.scannet25k import FrameTree
from roomcad_offline.evaluation.to_scan import scene_predictions


def load_predictions(path):
    """Predictions of per-scene CSVs (a folder or one), a raw_results.csv, or a per-frame JSON."""
    path = Path(path)
    if path.is_dir() or (path.suffix == ".csv" and path.is_file() and is_scene_file(path)):
        return read_scene_csvs(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    readers = {".csv": read_raw_results, ".json": read_per_frame}
    if path.suffix.lower() not in readers:
        raise ValueError(
            f"{path}: got {path.suffix or 'no suffix'}, expected a folder of SCENE.csv, "
            "a raw_results.csv or a per_frame_preds.json"
        )
    return readers[path.suffix.lower()](path)


def load_scene_predictions(path, frames=None, min_score=None):
    """Predictions in space "scan".

    Args:
        path: see load_predictions.
        frames: folder of ScanNet frames, whose camera poses a per-frame file needs.
        min_score: limit for detections of a per-frame file.
    """
    predictions = load_predictions(path)
    if predictions.space == "scan":
        return predictions
    if frames is None:
        raise ValueError(f"{path}: poses lead to the camera: give the frames' folder (--frames)")
    return scene_predictions(predictions, FrameTree(frames).pose, min_score)
