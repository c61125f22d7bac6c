"""The exported loop and TensorRT: NVIDIA's builder takes it, and float16 moves poses little."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from roomcad_core.engine import make_engine  # noqa: E402
from roomcad_core.engine.bench import same_poses  # noqa: E402
from roomcad_core.engine.bench_feeds import random_feeds  # noqa: E402
from roomcad_core.engine.tensor_rt.api import WITHOUT_GPU, load_api  # noqa: E402
from roomcad_core.engine.tensor_rt.build import build_plan, profiles_of  # noqa: E402
from roomcad_core.engine.tensor_rt.precision import low_precision  # noqa: E402
from roomcad_offline.multi_sparc.config import preset  # noqa: E402
from roomcad_offline.multi_sparc.export import save_loop  # noqa: E402
from roomcad_offline.multi_sparc.export_example import example_feeds  # noqa: E402
from roomcad_offline.multi_sparc.network import MultiSparc  # noqa: E402


def loop(folder, n):
    """File of the robot's loop with random weights."""
    torch.manual_seed(0)
    network = MultiSparc(preset("live")).eval().requires_grad_(False)
    save_loop(network, n, folder / "loop.onnx")
    return folder / "loop.onnx"


def test_a_fresh_export_becomes_a_plan_in_float16_without_a_gpu(tmp_path):
    # Shipped files, with updates and in bfloat16: tests/core/test_tensorrt_build.py.
    pytest.importorskip("tensorrt_rtx", reason="pip install -r requirements/tensorrt_rtx.txt")
    path = loop(tmp_path, 0)
    assert profiles_of(path) == [{"initialisations": (1, 1, 1)}, {"initialisations": (1, 4, 16)}]
    plan, _ = build_plan(load_api(WITHOUT_GPU), path, "f16")
    assert len(plan) > 1_000_000


def test_float16_keeps_poses_within_a_centimetre_and_a_degree(tmp_path):
    # ONNX Runtime rounds the result of every rough node to float16, which is what a GPU does.
    path, config = loop(tmp_path, 1), preset("live")
    low = tmp_path / "low.onnx"
    low.write_bytes(low_precision(path.read_bytes(), "f16", path))
    exact, rough = make_engine(path, "onnxruntime", 1), make_engine(low, "onnxruntime", 1)
    near, differences = [], []
    for seed in range(3):
        feeds = example_feeds(config, 2, seed=seed, empty=1)
        a, b = exact(feeds), rough(feeds)
        near.append(same_poses(a, b, feeds["valid"]))
        differences.append(np.abs(a["T_out"] - b["T_out"])[:, feeds["valid"]].max())
    assert np.concatenate(near).mean() >= 0.99
    assert max(differences) > 1e-6  # it is float16


def test_the_benchmarks_random_inputs_are_what_the_loop_takes(tmp_path):
    engine = make_engine(loop(tmp_path, 0), "onnxruntime", 1)
    feeds = random_feeds(engine.inputs, {"initialisations": 4}, seed=0)
    out = engine(feeds)
    assert out["logit"].shape == (4, 5) and all(np.isfinite(x).all() for x in out.values())
    np.testing.assert_allclose(np.linalg.det(feeds["R"]), 1, atol=1e-5)
    centre = feeds["T"] @ feeds["K"].T
    pixel = centre[0, :, :2] / centre[0, :, 2:]
    assert ((pixel > 0) & (pixel < (160, 120))).all()  # the objects are in the image
