"""Runs an instance network: surface and colour of a frame in, what the network sees in it out."""

from __future__ import annotations

import numpy as np

from roomcad_core.engine.int8 import load_engine
from roomcad_core.library import models_folder
from roomcad_core.segment.instances.cells import fit_cells
from roomcad_core.segment.instances.channels import (
    CHANNELS,
    PICTURE,
    channels,
    picture_input,
    picture_of,
)
from roomcad_core.segment.instances.model_files import COLOR, INPUT, outputs, read_spec
from roomcad_core.segment.instances.seen import Seen


class InstanceNetwork:
    """An InstanceSpec and the engine that runs its ONNX file."""

    def __init__(self, spec, engine):
        check_graph(spec, engine)
        self.spec = spec
        self.engine = engine

    def __call__(self, surface, floor_z, color=None):
        """Seen of a frame.

        Args:
            surface: Surface of a frame in the grav frame.
            floor_z: height of the floor in that frame [m], or None.
            color: (H, W, 3) uint8 RGB of the frame; None, or all black, where there is none.
        """
        q = np.where(surface.valid, surface.q, np.float32(0))
        cells = fit_cells(q, (self.spec.height, self.spec.width))
        points = cells.of(surface.points)
        picture = picture_of(color, cells.q.shape)
        feeds = {INPUT: channels(cells.q, points, cells.of(surface.normals), floor_z, picture)}
        if COLOR in self.engine.inputs:
            feeds[COLOR] = picture_input(picture, cells.q.shape)
        out = self.engine({name: feed[None] for name, feed in feeds.items()})
        return Seen(q, cells, points, {n: maps[0] for n, maps in out.items()}, self.spec.kinds)


def make_instances(config):
    """InstanceNetwork that a SegmentConfig names."""
    return load_instance_network(config.model, config.engine, precision=config.precision)


def load_instance_network(name, engine="auto", threads=0, folder=None, precision="f32"):
    """InstanceNetwork `name` of models/manifest.json.

    Args:
        name: name of the model in the manifest.
        engine, threads, precision: as int8.load_engine takes them.
        folder: the models folder; None = the one of the library.

    Raises:
        FileNotFoundError: the manifest or the ONNX file is missing.
        ValueError: they are malformed, do not fit each other, or the model is of another task.
        ImportError: the engine's package is not installed.
    """
    spec = read_spec(folder or models_folder(), name)
    return InstanceNetwork(spec, load_engine(spec, engine, threads, precision))


def check_graph(spec, engine):
    """Raise ValueError unless the loaded network has the inputs and outputs of its spec."""
    size = spec.height, spec.width
    inputs = {INPUT: (1, len(CHANNELS), *size)}
    if COLOR in engine.inputs:
        inputs[COLOR] = (1, 3, *(PICTURE * n for n in size))
    expected_outputs = {name: (*shape, *size) for name, shape in outputs(spec.kinds).items()}
    for kind, got, expected in (
        ("inputs", engine.inputs, inputs), ("outputs", engine.outputs, expected_outputs),
    ):  # fmt: skip
        shapes = {name: tuple(t.shape) for name, t in got.items()}
        kinds = {t.dtype for t in got.values()}
        if shapes != expected or kinds != {np.dtype(np.float32)}:
            found = {name: str(tensor) for name, tensor in got.items()}
            raise ValueError(f"{spec.onnx}: {kind}: got {found}, expected float32 {expected}")
