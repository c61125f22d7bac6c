"""Runs the depth and normal networks: a colour image in, a map of it and its uncertainty out.

A picture alone does not tell a near thing from a far, larger one: that takes the focal length. The
depth network answers for one camera (`focal` of its GeometrySpec), and its answer is scaled to the
camera of the image.
"""

import numpy as np

from roomcad_core.engine import make_engine, verify
from roomcad_core.library import models_folder
from roomcad_core.rgb_geometry.model_files import DEPTH, INPUT, NORMALS, OUTPUTS, read_spec
from roomcad_core.rgb_geometry.picture import fitted_picture, focal_of_maps, image_sized


class GeometryNetwork:
    """A GeometrySpec and the engine that runs its ONNX file."""

    def __init__(self, spec, engine):
        check_graph(spec, engine)
        self.spec = spec
        self.engine = engine

    def maps(self, rgb):
        """The network's two answers for an image, as it gives them: float32, half its picture."""
        picture = fitted_picture(rgb, (self.spec.height, self.spec.width))
        out = self.engine({INPUT: picture[None]})
        return [out[name][0] for name in OUTPUTS[self.spec.task]]


class DepthNetwork(GeometryNetwork):
    """Depth of an image."""

    def __call__(self, rgb, K=None):
        """(depth, sigma), both (H, W) float32 [m]: z-depth and its standard deviation.

        Args:
            rgb: (H, W, 3) uint8 RGB, of any size.
            K: (3, 3) its intrinsics [px]; None = those of the network's own camera.
        """
        depth, sigma = self.maps(rgb)
        factor = np.float32(1)
        if K is not None:
            focal = focal_of_maps(K, np.shape(rgb)[:2], depth.shape)
            factor = np.float32(focal / self.spec.focal)
        return tuple(image_sized(a, np.shape(rgb)[:2]) * factor for a in (depth, sigma))


class NormalNetwork(GeometryNetwork):
    """Surface normals of an image."""

    def __call__(self, rgb):
        """(normal, angle): unit normals (H, W, 3), camera frame, towards the camera, and the angle
        (H, W) [rad] by which each is expected to be wrong; float32.

        Args:
            rgb: (H, W, 3) uint8 RGB, of any size.
        """
        normal, kappa = self.maps(rgb)
        shape = np.shape(rgb)[:2]
        normal = image_sized(np.ascontiguousarray(normal.transpose(1, 2, 0)), shape)
        length = np.sqrt(np.einsum("...i,...i", normal, normal))
        normal /= np.maximum(length, np.float32(1e-9))[..., None]
        return normal, image_sized(expected_angle(kappa), shape)


def expected_angle(kappa):
    """Mean angle [rad] between a normal and the mean of its Angular von Mises-Fisher distribution.

    Its density on the sphere falls as exp(-kappa angle); the paper's reference [4].
    """
    q = np.exp(-np.pi * kappa)
    return 2 * kappa / (kappa * kappa + 1) + np.pi * q / (1 + q)


def load_depth_network(name, engine="auto", threads=0, folder=None):
    """DepthNetwork `name` of models/manifest.json.

    Args:
        name: name of the model in the manifest.
        engine: "auto" or a key of engine.ENGINES.
        threads: as make_engine takes it.
        folder: the models folder; None = the one of the library.

    Raises:
        FileNotFoundError: the manifest or the ONNX file is missing.
        ValueError: they are malformed, do not fit each other, or the model is of another task.
        ImportError: the engine's package is not installed.
    """
    return DepthNetwork(*_loaded(name, DEPTH, engine, threads, folder))


def load_normal_network(name, engine="auto", threads=0, folder=None):
    """NormalNetwork `name` of models/manifest.json; arguments and errors of load_depth_network."""
    return NormalNetwork(*_loaded(name, NORMALS, engine, threads, folder))


def _loaded(name, task, engine, threads, folder):
    spec = read_spec(folder or models_folder(), name)
    if spec.task != task:
        raise ValueError(f"models.{name}.task: got {spec.task!r}, expected {task!r}")
    verify(spec.onnx, spec.sha256)
    return spec, make_engine(spec.onnx, engine, threads)


def check_graph(spec, engine):
    """Raise ValueError unless the loaded network has the inputs and outputs of its spec."""
    half = spec.height // 2, spec.width // 2
    mean, sureness = OUTPUTS[spec.task]
    inputs = {INPUT: (1, 3, spec.height, spec.width)}
    outputs = {mean: (1, 3, *half) if spec.task == NORMALS else (1, *half), sureness: (1, *half)}
    for kind, got, expected in (
        ("inputs", engine.inputs, inputs), ("outputs", engine.outputs, outputs),
    ):  # fmt: skip
        shapes = {name: tuple(t.shape) for name, t in got.items()}
        kinds = {t.dtype for t in got.values()}
        if shapes != expected or kinds != {np.dtype(np.float32)}:
            found = {name: str(tensor) for name, tensor in got.items()}
            raise ValueError(f"{spec.onnx}: {kind}: got {found}, expected float32 {expected}")
