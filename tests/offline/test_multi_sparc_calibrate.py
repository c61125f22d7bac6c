"""Scores of sigma alone as probabilities; what a training's folder keeps of its calibration."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="calibration needs torch: make setup-train")

from roomcad_core.multi_sparc.choice import PolishedScore, Weights  # noqa: E402
from roomcad_offline.multi_sparc.calibrate import (  # noqa: E402
    FILE,
    Calibration,
    fit_calibration,
    read_calibration,
    shifted,
)
from roomcad_offline.multi_sparc.config import InputConfig, ModelConfig, NetworkConfig  # noqa: E402
from roomcad_offline.multi_sparc.network import MultiSparc  # noqa: E402
from roomcad_offline.multi_sparc.pose import LOGIT  # noqa: E402


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_neutral_calibration_is_the_sigmoid():
    assert Calibration()([0.0, np.log(3)]) == pytest.approx([0.5, 0.75])


def test_scale_and_shift_of_overconfident_logits_are_found():
    rng = np.random.default_rng(0)
    true = rng.normal(0.5, 1.5, 40_000)
    is_right = rng.random(len(true)) < sigmoid(true)
    found = fit_calibration(3 * true + 2, is_right)
    assert found.temperature == pytest.approx(3, rel=0.05)
    assert found.shift == pytest.approx(-2, abs=0.15)
    assert found(3 * true + 2).mean() == pytest.approx(is_right.mean(), abs=0.005)


def test_logits_that_tell_nothing_are_refused():
    logits = np.linspace(-1, 1, 50)
    with pytest.raises(ValueError, match="of 50 views 25 are right"):
        fit_calibration(logits, logits < 0)


def test_few_views_give_no_infinite_weights():
    logits = np.array([-2.0, -1.0, 1.0, 2.0])
    found = fit_calibration(logits, logits > 0)
    assert 0.05 < found.temperature < 5
    assert found([3.0])[0] < 0.99


def test_the_shift_goes_into_the_weights_and_into_nothing_but_the_logit():
    torch.manual_seed(0)
    small = NetworkConfig(n_mul=2, n_latent=4, width=16, blocks=1, self_heads=2, head_width=8)
    network = MultiSparc(ModelConfig(small, InputConfig(4, 4))).eval()
    rows = torch.randn(1, 2, 12, 13)
    mask, valid = torch.ones(1, 2, 12, dtype=torch.bool), torch.ones(1, 2, dtype=torch.bool)
    with torch.no_grad():
        before, after = (m(rows, mask, valid) for m in (network, shifted(network, 0.7)))
    moved = (after - before)[0].numpy()
    assert moved[:, LOGIT] == pytest.approx([0.7, 0.7], abs=1e-5)
    assert np.delete(moved, LOGIT, 1) == pytest.approx(0)


def test_a_folder_without_calibration_has_the_neutral_one(tmp_path):
    assert read_calibration(tmp_path) == (Calibration(), None)
    weights = {"sigma": 0.5, "fit": 2.0, "agreement": 0.0, "bias": 0.1}
    record = {
        "sigma": {"temperature": 1.5, "shift": -0.2},
        "polished": dict.fromkeys(("choice", "several", "alone"), weights),
        "of_sigma": {"views": 9},
    }
    (tmp_path / FILE).write_text(json.dumps(record))
    score = PolishedScore(*[Weights(0.5, 2, 0, 0.1)] * 3)
    assert read_calibration(tmp_path) == (Calibration(1.5, -0.2), score)


def test_a_calibration_of_another_version_is_refused(tmp_path):
    old = {"sigma": {"temperature": 1, "shift": 0}, "polished": {"sigma": 1, "fit": 2, "bias": 0}}
    (tmp_path / FILE).write_text(json.dumps(old))
    with pytest.raises(ValueError, match="calibration.json: of another version .*calibrate again"):
        read_calibration(tmp_path)
