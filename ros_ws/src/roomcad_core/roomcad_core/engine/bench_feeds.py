"""Inputs to measure engines with: random ones, or those of a dataset's frames."""

import itertools

import numpy as np

from roomcad_core.config import AlignConfig, ClassifyConfig, SegmentConfig
from roomcad_core.engine.base import Engine
from roomcad_core.engine.choose import make_engine

LOOP_INPUTS = ("T", "R", "S", "rgb", "depth", "valid")  # what tells the alignment loop


def is_loop(inputs):
    """Whether inputs ({name: TensorSpec}) are those of the alignment loop."""
    return set(LOOP_INPUTS) <= set(inputs)


def random_feeds(inputs, sizes, seed):
    """{input name: array} of an engine's `inputs` ({name: TensorSpec}).

    Args:
        inputs: {name: TensorSpec}.
        sizes: {free axis: size}.
        seed: of everything that is random.
    """
    rng = np.random.default_rng(seed)
    shapes = {n: tuple(sizes.get(s, s) for s in spec.shape) for n, spec in inputs.items()}
    feeds = _loop_arrays(shapes, rng) if is_loop(inputs) else {}
    for name, shape in shapes.items():
        feeds.setdefault(name, rng.uniform(-1, 1, shape))
    return {name: np.ascontiguousarray(feeds[name], inputs[name].dtype) for name in inputs}


def _loop_arrays(shapes, rng):
    """A noisy wall at 1 to 4 m, and objects of half a metre to a metre before it."""
    objects, (height, width) = shapes["box"][0], shapes["instance"]
    focal = 0.9 * width
    T = np.stack(
        [np.linspace(-0.8, 0.8, objects), rng.uniform(-0.3, 0.3, objects), np.full(objects, 2.5)], 1
    )
    pixels = T[:, :2] / T[:, 2:] * focal + (width / 2, height / 2)
    size = focal * 0.35 / T[:, 2:]
    turns = np.linspace(0, 2 * np.pi, shapes["T"][0], endpoint=False)
    yaw = np.stack([_rotation_y(angle) for angle in turns])
    normal = rng.normal(size=shapes["normal"])
    points = rng.uniform(-0.5, 0.5, shapes["cad_points"])
    return {
        "rgb": rng.random(shapes["rgb"]),
        "normal": normal / np.linalg.norm(normal, axis=0),
        "depth": rng.uniform(1, 4, shapes["depth"]),
        "instance": rng.integers(0, objects + 1, shapes["instance"]),
        "K": [[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]],
        "valid": np.ones(objects, bool),
        "box": np.concatenate([pixels - size, pixels + size], 1),
        "cad_points": points,
        "cad_normals": points / np.linalg.norm(points, axis=-1, keepdims=True),
        "T": np.broadcast_to(T, shapes["T"]),
        "R": np.broadcast_to(yaw[:, None], shapes["R"]),
        "S": np.broadcast_to(rng.uniform(0.5, 1, (objects, 3)), shapes["S"]),
    }


def _rotation_y(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


class Recorder(Engine):
    """Passes calls on to an engine and keeps the feeds."""

    def __init__(self, engine):
        super().__init__(engine.path, engine.inputs, engine.outputs)
        self.name, self.feeds, self._engine = engine.name, [], engine

    def _run(self, feeds):
        self.feeds.append({name: array.copy() for name, array in feeds.items()})
        return self._engine(feeds)


def recorded_feeds(sequence, shipped, frames):
    """[feeds] that the alignment loop gets on the first frames of a dataset.

    Args:
        sequence: dataset, as datasets.open_dataset takes it.
        shipped: Shipped with the task "align".
        frames: how many frames.

    Raises:
        ValueError: there was nothing to align.
    """
    from roomcad_core.classify import make_classifier
    from roomcad_core.datasets import open_dataset
    from roomcad_core.library import Library
    from roomcad_core.multi_sparc.aligner import MultiSparcAligner
    from roomcad_core.multi_sparc.loop import AlignLoop
    from roomcad_core.multi_sparc.model_files import read_spec
    from roomcad_core.segment import Segmenter

    updates = shipped.updates
    spec = read_spec(shipped.onnx.parent, shipped.name, updates)
    recorder, library = Recorder(make_engine(spec.onnx, "onnxruntime")), Library.load("")
    segment, classify = Segmenter(SegmentConfig()), make_classifier(ClassifyConfig(), library)
    align = MultiSparcAligner(
        AlignConfig(updates=updates, n_tried=1), library, AlignLoop(spec, recorder)
    )
    for frame in itertools.islice(open_dataset(sequence), frames):
        align(frame, classify(segment(frame)))
    if not recorder.feeds:
        raise ValueError(f"{sequence}: no object to align in its first {frames} frames")
    return recorder.feeds
