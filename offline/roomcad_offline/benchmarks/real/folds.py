"""The robot that a room is judged by: the same in all rooms, or one that never saw that place.

A folds file is YAML: a list of {config: FILE, places: [scene0001, ...]}, paths from its own
folder. Rooms of places that it does not name are judged by the default robot.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from roomcad_core import config as configs
from roomcad_core.config import PipelineConfig
from roomcad_core.pipeline import Pipeline
from roomcad_offline.benchmarks.real.sources import place_of


class Robots:
    """Gives the Pipeline of a room; only the last one is kept."""

    def __init__(self, config: PipelineConfig, by_place: dict[str, PipelineConfig] | None = None):
        """`config`: the default robot's; `by_place`: {place: that of its fold}."""
        self._config, self._by_place = config, by_place or {}
        self._pipeline = Pipeline(config)

    def __call__(self, name: str) -> Pipeline:
        """Pipeline of the room `name`."""
        wanted = self._by_place.get(place_of(name), self._config)
        if wanted != self._pipeline.config:
            self._pipeline = Pipeline(wanted, self._pipeline.library, before=self._pipeline)
        return self._pipeline


def read_folds(path: Path) -> dict[str, PipelineConfig]:
    """{place: PipelineConfig} of a folds file; ValueError names what is wrong with it."""
    path = Path(path)
    try:
        folds = yaml.safe_load(path.read_text(encoding="utf-8"))
        named = [(str(f["config"]), list(map(str, f["places"]))) for f in folds]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: got {type(error).__name__}: {error}, expected a list of config and places"
        ) from None
    out = {}
    for file, places in named:
        config = configs.load(path.parent / file)
        if twice := sorted(set(places) & set(out)):
            raise ValueError(f"{path}: {twice[0]} is in two folds")
        out |= dict.fromkeys(places, config)
    return out
