"""Running depth and normal networks: pictures are fitted, answers are per pixel of the image."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest

from roomcad_core.engine.base import Engine, TensorSpec
from roomcad_core.engine.shipped import shipped_models
from roomcad_core.rgb_geometry import DepthNetwork, NormalNetwork, load_depth_network
from roomcad_core.rgb_geometry.model_files import GeometrySpec, read_spec
from roomcad_core.rgb_geometry.networks import expected_angle
from roomcad_core.rgb_geometry.picture import fitted_picture, focal_of_maps, image_sized

SPEC = GeometrySpec("d", "depth", "d.onnx", "0" * 64, 64, 48, 0.9)


class FakeEngine(Engine):
    """Answers with maps made of its picture."""

    def __init__(self, spec, answer):
        def f32(*shape):
            return TensorSpec(np.dtype(np.float32), shape)

        h, w = spec.height // 2, spec.width // 2
        outputs = {"depth": f32(1, h, w), "sigma": f32(1, h, w)}
        if spec.task == "normals":
            outputs = {"normal": f32(1, 3, h, w), "kappa": f32(1, h, w)}
        super().__init__("fake.onnx", {"rgb": f32(1, 3, spec.height, spec.width)}, outputs)
        self.answer = answer

    def _run(self, feeds):
        return dict(zip(self.outputs, self.answer(feeds["rgb"]), strict=True))


def ramp_depth(rgb):
    """Depth = 1 + red, sigma = 0.1, each of 2 x 2 pixels."""
    red = rgb[:, 0].reshape(1, 24, 2, 32, 2).mean((2, 4))
    return 1 + red, np.full_like(red, 0.1)


def test_an_image_of_the_pictures_size_is_only_divided_by_255():
    rgb = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    np.testing.assert_allclose(fitted_picture(rgb, (48, 64)), rgb.transpose(2, 0, 1) / 255, 1e-6)


def test_an_image_of_another_ratio_is_centred_and_its_border_repeated():
    rgb = np.zeros((40, 80, 3), np.uint8)
    rgb[:20], rgb[20:] = 50, 200
    picture = fitted_picture(rgb, (48, 64)) * 255  # 64 x 32 of it, 8 rows above and below
    np.testing.assert_allclose(picture[:, :22], 50, atol=1)
    np.testing.assert_allclose(picture[:, 26:], 200, atol=1)


@pytest.mark.parametrize("shape", [(48, 64), (240, 320), (360, 540), (33, 47)])
def test_maps_come_back_to_the_pixels_they_were_made_of(shape):
    rgb = np.zeros((*shape, 3), np.uint8)
    rgb[..., 0] = np.linspace(0, 255, shape[1])
    rgb[..., 1] = np.linspace(0, 255, shape[0])[:, None]
    depth, sigma = DepthNetwork(SPEC, FakeEngine(SPEC, ramp_depth))(rgb)
    assert depth.shape == sigma.shape == shape and depth.dtype == np.float32
    inner = np.s_[4:-4, 4:-4]
    np.testing.assert_allclose(depth[inner], (1 + rgb[..., 0] / 255)[inner], atol=0.03)
    np.testing.assert_allclose(sigma, 0.1, rtol=1e-5)


def test_depth_is_scaled_to_the_focal_length_of_the_image():
    network = DepthNetwork(SPEC, FakeEngine(SPEC, ramp_depth))
    rgb = np.full((48, 64, 3), 255, np.uint8)
    K = np.array([[64 * 1.8, 0, 31.5], [0, 64 * 1.8, 23.5], [0, 0, 1]])
    assert network(rgb)[0].mean() == pytest.approx(2.0)
    depth, sigma = network(rgb, K)
    assert depth.mean() == pytest.approx(4.0) and sigma.mean() == pytest.approx(0.2)
    assert focal_of_maps(K, (48, 64), (24, 32)) == pytest.approx(1.8)


def test_normals_keep_length_one_and_their_uncertainty_is_an_angle():
    spec = dataclasses.replace(SPEC, task="normals")

    def answer(rgb):
        normal = np.zeros((1, 3, 24, 32), np.float32)
        normal[:, 2, :, :16], normal[:, 0, :, 16:] = -1, 1
        return normal, np.full((1, 24, 32), 20, np.float32)

    normal, angle = NormalNetwork(spec, FakeEngine(spec, answer))(np.zeros((96, 128, 3), np.uint8))
    assert normal.shape == (96, 128, 3)
    np.testing.assert_allclose(np.linalg.norm(normal, axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(normal[5, 5], [0, 0, -1], atol=1e-6)
    np.testing.assert_allclose(angle, 40 / 401, rtol=1e-4)


@pytest.mark.parametrize("kappa", [0.05, 1.0, 7.0, 60.0])
def test_the_expected_angle_is_the_mean_over_the_distribution(kappa):
    angle = np.linspace(0, np.pi, 200_001)
    density = np.exp(-kappa * angle) * np.sin(angle)
    mean = np.trapezoid(density * angle, angle) / np.trapezoid(density, angle)
    assert expected_angle(np.float64(kappa)) == pytest.approx(mean, rel=1e-4)


def test_values_that_are_no_image_are_refused():
    for bad in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match="expected uint8"):
            fitted_picture(bad, (48, 64))


def test_image_sized_keeps_constant_maps_constant():
    out = image_sized(np.full((24, 32), 3, np.float32), (101, 77))
    assert out.shape == (101, 77) and (out == 3).all()


@pytest.fixture
def models(tmp_path):
    """models(**changed): a folder whose manifest has the network `d`."""

    def write(**changed):
        (tmp_path / "d.onnx").write_bytes(b"x")
        entry = {"task": "depth", "onnx": "d.onnx", "width": 64, "height": 48, "focal": 0.9}
        entry["sha256"] = hashlib.sha256(b"x").hexdigest()
        models = {"version": 1, "models": {"d": entry | changed}}
        (tmp_path / "manifest.json").write_text(json.dumps(models))
        return tmp_path

    return write


def test_the_manifest_names_the_network_also_for_the_engines(models):
    folder = models()
    spec = read_spec(folder, "d")
    assert (spec.task, spec.width, spec.height, spec.focal) == ("depth", 64, 48, 0.9)
    (file,) = shipped_models(folder)
    assert (file.name, file.task, file.onnx) == ("d", "depth", folder / "d.onnx")


@pytest.mark.parametrize(
    ("field", "value"),
    [("task", "colour"), ("onnx", "../d.onnx"), ("width", 63), ("height", "48"), ("focal", 0)],
)
def test_a_wrong_field_of_the_manifest_is_named(models, field, value):
    with pytest.raises(ValueError, match=rf"models\.d\.{field}"):
        read_spec(models(**{field: value}), "d")


def test_a_model_of_another_task_or_with_other_tensors_is_refused(models):
    with pytest.raises(ValueError, match="expected 'depth'"):
        load_depth_network("d", folder=models(task="normals"))
    with pytest.raises(ValueError, match="inputs"):
        DepthNetwork(dataclasses.replace(SPEC, width=32), FakeEngine(SPEC, ramp_depth))
