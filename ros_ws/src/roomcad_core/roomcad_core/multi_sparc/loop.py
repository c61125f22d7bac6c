"""The exported loop: n updates and a scoring pass for some objects and all their initialisations.

One call takes the maps of one image and a fixed number of slots; slots without an object are
masked, and what the graph gives for them is not looked at.
"""

from typing import NamedTuple

import numpy as np

from roomcad_core.engine import make_engine, verify
from roomcad_core.library import models_folder
from roomcad_core.multi_sparc.model_files import read_spec

INITIALISATIONS = "A"  # stands for the free axis in the shapes below
EMPTY_T = (0.0, 0.0, 3.0)  # where empty slots stand [m]


class Poses(NamedTuple):
    """A initialisations of N objects; X_cam = R @ (S * x_unit) + T."""

    T: np.ndarray  # (A, N, 3) [m]
    R: np.ndarray  # (A, N, 3, 3)
    S: np.ndarray  # (A, N, 3) [m]


class Slots(NamedTuple):
    """What the network is told of N objects of an image."""

    instance: np.ndarray  # (H, W) int32 slot + 1 of the object a map pixel is given to, 0 = none
    box: np.ndarray  # (N, 4) float32 xyxy [px of the maps], pixel centres at integers
    models: tuple  # N CadModels


class AlignLoop:
    """An AlignSpec and the engine that runs its ONNX file."""

    def __init__(self, spec, engine):
        check_graph(spec, engine)
        self.spec = spec
        self.engine = engine

    def __call__(self, maps, slots, start):
        """Refine and score.

        Args:
            maps: Maps.
            slots: Slots of at most spec.objects objects.
            start: Poses of the same objects.

        Returns:
            Poses and logits (A, N) of sigma.
        """
        n = len(slots.models)
        out = self.engine({**_image(maps), **self._objects(slots), **self._start(start)})
        poses = Poses(*(out[name][:, :n] for name in ("T_out", "R_out", "S_out")))
        return poses, out["logit"][:, :n]

    def _objects(self, slots):
        n, empty = len(slots.models), self.spec.objects - len(slots.models)
        surfaces = [unit_surface(model, self.spec.cad_points) for model in slots.models]
        points, normals = (np.stack(arrays) for arrays in zip(*surfaces, strict=True))
        return {
            "instance": slots.instance,
            "valid": np.arange(self.spec.objects) < n,
            "box": _padded(slots.box, empty),
            "cad_points": _padded(points, empty),
            "cad_normals": _padded(normals, empty),
        }

    def _start(self, start):
        times, n = start.T.shape[:2]
        shape = (times, self.spec.objects)
        T = np.broadcast_to(np.float32(EMPTY_T), (*shape, 3)).copy()
        R = np.broadcast_to(np.eye(3, dtype=np.float32), (*shape, 3, 3)).copy()
        S = np.ones((*shape, 3), np.float32)
        T[:, :n], R[:, :n], S[:, :n] = start
        return {"T": T, "R": R, "S": S}


def load_loop(name, updates, folder=None, **engine):
    """AlignLoop of the aligner `name` of models/manifest.json.

    Args:
        name: name of the model in the manifest.
        updates: number of updates before the scoring pass.
        folder: the models folder; None = library.models_folder().
        engine: what make_engine takes beside the file.

    Raises:
        FileNotFoundError: the manifest or the ONNX file is missing.
        ValueError: they are malformed or do not fit each other.
        ImportError: the engine's package is not installed.
    """
    spec = read_spec(folder or models_folder(), name, updates)
    verify(spec.onnx, spec.sha256)
    return AlignLoop(spec, make_engine(spec.onnx, **engine))


def unit_surface(model, n):
    """(n, 3) float32 surface points of a CadModel and their normals, both in its unit frame.

    Library points come in random order: the first ones are a sample of the whole surface.
    """
    return model.points[:n].astype(np.float32), model.unit_normals[:n]


def check_graph(spec, engine):
    """Raise ValueError unless the loaded graph has the inputs and outputs of its AlignSpec."""
    wanted = expected_inputs(spec), expected_outputs(spec)
    for kind, tensors, got in zip(
        ("inputs", "outputs"), wanted, (engine.inputs, engine.outputs), strict=True
    ):
        if set(got) != set(tensors):
            raise ValueError(f"{spec.onnx}: {kind}: got {sorted(got)}, expected {sorted(tensors)}")
        for name, (dtype, shape) in tensors.items():
            if not _fits(got[name], dtype, shape):
                text = f"{dtype} ({', '.join(map(str, shape))})"
                raise ValueError(
                    f"{spec.onnx}: {name!r}: got {got[name]}, expected {text}; {INITIALISATIONS}"
                    " is free, the other sizes are those of models/manifest.json"
                )


def expected_inputs(spec):
    """{name: (dtype, shape)} of the graph's inputs."""
    height, width, objects = spec.height, spec.width, spec.objects
    image = {"rgb": 3, "normal": 3, "depth": 1}
    points = ("float32", (objects, spec.cad_points, 3))
    return {
        **{name: ("float32", (c, height, width)) for name, c in image.items()},
        "instance": ("int32", (height, width)),
        "K": ("float32", (3, 3)),
        "valid": ("bool", (objects,)),
        "box": ("float32", (objects, 4)),
        "cad_points": points,
        "cad_normals": points,
        **_poses(objects, ""),
    }


def expected_outputs(spec):
    """{name: (dtype, shape)} of the graph's outputs."""
    logit = ("float32", (INITIALISATIONS, spec.objects))
    return {**_poses(spec.objects, "_out"), "logit": logit}


def _poses(objects, ending):
    sizes = {"T": (3,), "R": (3, 3), "S": (3,)}
    leading = (INITIALISATIONS, objects)
    return {name + ending: ("float32", (*leading, *size)) for name, size in sizes.items()}


def _fits(tensor, dtype, shape):
    """Whether a TensorSpec has this dtype and these sizes; A must be free, in outputs any name."""
    return (
        tensor.dtype == np.dtype(dtype)
        and len(tensor.shape) == len(shape)
        and all(
            isinstance(got, str) if want == INITIALISATIONS else got == want
            for got, want in zip(tensor.shape, shape, strict=True)
        )
    )


def _image(maps):
    return {
        "rgb": maps.rgb,
        "normal": maps.normal,
        "depth": maps.depth[None],
        "K": maps.K.astype(np.float32),
    }


def _padded(array, empty):
    """Zeros appended for the empty slots."""
    return np.concatenate([array, np.zeros((empty, *array.shape[1:]), array.dtype)])
