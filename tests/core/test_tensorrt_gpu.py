"""The shipped networks on a real GPU: results of float32 on the CPU, whatever is computed in."""

import numpy as np
import pytest

from roomcad_core.engine import TensorRtEngine, Unavailable, make_engine
from roomcad_core.engine.bench import cases, same_poses
from roomcad_core.engine.bench_feeds import is_loop, random_feeds
from roomcad_core.engine.shipped import shipped_models
from roomcad_core.engine.tensor_rt.api import load_api
from roomcad_core.engine.tensor_rt.cuda import open_device
from roomcad_core.engine.tensor_rt.engine import check_support
from roomcad_core.library import models_folder

pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.gpu
TOLERANCES = {"f32": 1e-3, "f16": 0.03, "bf16": 0.2}  # of logits that reach 5
SHIPPED = shipped_models(models_folder())


@pytest.fixture(scope="module", autouse=True)
def gpu():
    try:
        device = open_device()
        check_support(load_api(), device)
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("precision", TOLERANCES)
@pytest.mark.parametrize("file", SHIPPED, ids=str)
def test_results_are_those_of_the_cpu(file, precision, tmp_path, monkeypatch):
    monkeypatch.setenv("ROOMCAD_ENGINES", str(tmp_path))
    exact = make_engine(file.onnx, "onnxruntime")
    engine = TensorRtEngine(file.onnx, precision=precision)
    assert engine.inputs == exact.inputs and engine.outputs == exact.outputs
    for sizes in cases(exact.inputs):
        pairs = [random_feeds(exact.inputs, sizes, seed) for seed in range(5)]
        pairs = [(exact(f), engine(f), f) for f in pairs]
        if is_loop(exact.inputs):
            near = np.concatenate([same_poses(a, b, f["valid"]) for a, b, f in pairs])
            assert near.mean() >= (0.99 if precision != "bf16" else 0.9)
            continue
        worst = max(np.abs(a["logits"] - b["logits"]).max() for a, b, _ in pairs)
        assert worst < TOLERANCES[precision]
