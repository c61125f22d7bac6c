"""The deployed classifier trained on, on crops of single frames of rooms with truth, real ones too.

Scans of CAD models and ModelNet40 stay among the samples: they keep the embeddings, by which CAD
models are retrieved, and the shapes that the rooms lack.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from roomcad_core.library import Library
from roomcad_offline.benchmarks.real.sources import Source, counts, place_of
from roomcad_offline.classifier.data import once
from roomcad_offline.classifier.frame_crops import frame_rows
from roomcad_offline.classifier.samples import LABELS, Samples, collect, join
from roomcad_offline.classifier.scans import scans
from roomcad_offline.classifier.sources import class_radii, modelnet_samples
from roomcad_offline.classifier.train import TrainConfig, train
from roomcad_offline.pointnet.fit import FitConfig
from roomcad_offline.scan_gap.modelnet import read_cache

SCANS_EACH, SCANS_SEED = 1, 12
TUNING = TrainConfig(
    shares={"modelnet": 0.15, "scans": 0.15, "frames": 0.7},
    other_share={"modelnet": 0.06, "frames": 0.35},
    fit=FitConfig(epochs=16, batch=64, learning_rate=5e-4, weight_decay=1e-5, save_every=1),
)


def tune(
    sources: list[Source],
    library: str,
    modelnet: Path,
    folder: Path,
    start: Path,
    left_out: tuple[str, ...] = (),
    config: TrainConfig = TUNING,
) -> torch.nn.Module:
    """Train a PointNet on from weights `start`; resumable.

    Args:
        sources: rooms with truth.
        library: folder of the CAD library that is scanned, several with commas.
        modelnet: npz cache of ModelNet40's training split.
        folder: gets samples (kept for other runs beside it, in `samples`) and the run.
        left_out: places whose rooms are not learnt from.

    Raises:
        ValueError: no room is left, or the library lacks a class.
    """
    # The alignment benchmark's models are left out.
    models = [model for model in Library.load(library) if model.split != "bench"]
    kept = folder.parent
    crops = {}
    for group in sorted({source.folder.parent for source in sources}):
        mine = [source for source in sources if source.folder.parent == group]
        name = "-".join(group.resolve().parts[-2:])
        crops[name] = once(kept, name, lambda m=mine: collect(frame_rows(tqdm(m, "crops"))))
    frames = [without_places(samples, left_out) for samples in crops.values()]
    parts = {
        "modelnet": once(kept, "modelnet", lambda: modelnet_samples(read_cache(modelnet))),
        "scans": once(kept, "scans", lambda: collect(tqdm(scans(models, SCANS_EACH, SCANS_SEED)))),
        "frames": join([samples for samples in frames if len(samples)]),
    }
    radii = class_radii(models)
    unscaled = parts["modelnet"].labels  # what has no metric size gets that of a CAD model
    if lacking := sorted({LABELS[k] for k in unscaled if int(k) not in radii}):
        raise ValueError(f"library: got no model of {lacking[0]} that may be trained on")
    learnt = [source for source in sources if place_of(source.name) not in left_out]
    about = {"training_rooms": counts(learnt), "left_out": list(left_out)}
    return train(parts, radii, folder, config, start, about)


def without_places(samples: Samples, places: tuple[str, ...]) -> Samples:
    """The Samples of rooms of other places."""
    rooms = [group.split("/")[0] for group in samples.group]
    return samples[np.array([place_of(room) not in places for room in rooms], bool)]
