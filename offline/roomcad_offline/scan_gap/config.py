"""Settings of the study, and the caches of ModelNet40 that follow from them."""

import logging
from dataclasses import dataclass
from pathlib import Path

from roomcad_offline.scan_gap.clouds import CLASSES_8, N_POINTS, data_folder
from roomcad_offline.scan_gap.modelnet import build_cache
from roomcad_offline.scan_gap.recipe_names import RECIPE_NAMES

log = logging.getLogger(__name__)
REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class StudyConfig:
    """Where the study finds and leaves things; the defaults of the command line."""

    data: Path | None = None  # None: $ROOMCAD_DATA, else ../shared/data
    scanobjectnn: Path | None = None  # folder of the h5 release
    modelnet: Path | None = None  # folder of ModelNet40's OFF files; None: the npz in `data`
    runs: Path = REPOSITORY / "runs" / "scan_gap"
    out: Path = REPOSITORY / "offline" / "results" / "scan_gap"
    weights: Path | None = None  # folder of pointnet_<recipe>.safetensors in place of runs
    recipes: tuple = RECIPE_NAMES
    epochs: int = 200
    batch: int = 32
    seed: int = 42
    points: int = N_POINTS
    train: bool = True  # train what is not trained yet
    eleven: bool = False  # train and test for the 11-class protocol as well


def cache_path(config, split):
    """The ModelNet40 cache of a split: sampled from OFF files where these are given."""
    if not config.modelnet:
        return data_folder(config.data) / f"modelnet40_{split}.npz"
    classes = modelnet_classes(config)
    path = config.runs / "cache" / f"modelnet40_{split}_{len(classes)}.npz"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        written, bad = build_cache(config.modelnet, split, path, classes, config.seed)
        log.info("%s: %d clouds", path, written)
        for text in bad:
            log.warning("left out: %s", text)
    return path


def modelnet_classes(config):
    """The post's eight classes, or every class folder for the 11-class protocol."""
    if not config.eleven:
        return CLASSES_8
    return tuple(sorted(p.name for p in Path(config.modelnet).iterdir() if (p / "train").is_dir()))
