"""Frames of a colour camera get depth and normals, once; every stage then takes them from there."""

import dataclasses

import numpy as np

from roomcad_core.library import models_folder
from roomcad_core.manifest import FILE, read_models
from roomcad_core.rgb_geometry.model_files import DEPTH, NORMALS
from roomcad_core.rgb_geometry.networks import load_depth_network, load_normal_network

LOADERS = {DEPTH: load_depth_network, NORMALS: load_normal_network}


class RgbGeometry:
    """Callable: Frame -> the same Frame with depth and normals as networks see them."""

    def __init__(self, config, networks=None, before=None):
        """
        Args:
            config: RgbConfig.
            networks: {"depth": DepthNetwork, "normals": NormalNetwork}; None = those that
                `config` names.
            before: an RgbGeometry whose networks serve again where the settings name the same.

        Raises:
            FileNotFoundError: a network is not shipped; the message says how it gets there.
        """
        self._config = config
        known = before._networks_of(config) if before else {}
        self._networks = networks or {
            task: known.get(task) or shipped_network(task, getattr(config, task), config.engine)
            for task in LOADERS
        }

    @property
    def engine(self):
        """What the networks run on."""
        return self._networks[DEPTH].engine.name

    def _networks_of(self, config):
        """{task: network} as far as they serve under other settings."""
        old = self._config
        same = [task for task in LOADERS if getattr(config, task) == getattr(old, task)]
        return {task: self._networks[task] for task in same if config.engine == old.engine}

    def __call__(self, frame):
        """The Frame as predicted; whatever depth it had is replaced.

        What the networks themselves hold too uncertain counts as missing (RgbConfig).
        """
        config = self._config
        depth, sigma = self._networks[DEPTH](frame.color, frame.K)
        sure = np.isfinite(depth) & (depth > 0) & (sigma <= config.max_depth_sigma * depth)
        normals, angle = self._networks[NORMALS](frame.color)
        known = np.isfinite(normals).all(-1) & (angle <= config.max_normal_angle)
        return dataclasses.replace(
            frame,
            depth=np.where(sure, depth, np.float32(0)),
            normals=np.where(known[..., None], normals, np.float32(0)),
            measured=False,
        )


def make_geometry(config, before=None):
    """RgbGeometry of a PipelineConfig; None where the frames bring depth along."""
    return RgbGeometry(config.rgb, before=before) if config.input == "rgb" else None


def shipped_network(task, name, engine="auto", folder=None):
    """The network `name` for a task ("depth", "normals") of models/manifest.json.

    Raises:
        FileNotFoundError: it is not there; the message names the commands that put it there.
        ValueError: it is malformed, or of another task.
        ImportError: the engine's package is not installed.
    """
    path = (folder or models_folder()) / FILE
    if not path.is_file() or name not in read_models(path):
        raise FileNotFoundError(
            f"rgb.{task}: no network {name!r} in {path}, and input rgb needs one: `roomcad-offline"
            f" rgb train-{task} RUN --train SCENES --validation OTHERS`, then `rgb evaluate RUN"
            f" OTHERS` and `rgb ship RUN {name}` make it"
        )
    return LOADERS[task](name, engine, folder=folder)
