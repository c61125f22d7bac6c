"""Sigma as a probability: scale and shift of its logits."""

import json

import numpy as np
import pytest
import torch

from roomcad_offline.multi_sparc.calibrate import (
    FILE,
    Calibration,
    fit_calibration,
    read_calibration,
    shifted,
)
from roomcad_offline.multi_sparc.config import InputConfig, ModelConfig, NetworkConfig
from roomcad_offline.multi_sparc.network import MultiSparc
from roomcad_offline.multi_sparc.pose import LOGIT


def test_neutral_calibration_is_the_sigmoid():
    assert Calibration()([0.0, np.log(3)]) == pytest.approx([0.5, 0.75])


def test_scale_and_shift_of_overconfident_logits_are_found():
    rng = np.random.default_rng(0)
    true = rng.normal(0.5, 1.5, 40_000)
    is_right = rng.random(len(true)) < 1 / (1 + np.exp(-true))
    found = fit_calibration(3 * true + 2, is_right)
    assert found.temperature == pytest.approx(3, rel=0.05)
    assert found.shift == pytest.approx(-2, abs=0.15)
    assert found(3 * true + 2).mean() == pytest.approx(is_right.mean(), abs=0.005)


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
    assert read_calibration(tmp_path) == Calibration()
    (tmp_path / FILE).write_text(json.dumps({"temperature": 1.5, "shift": -0.2, "objects": 9}))
    assert read_calibration(tmp_path) == Calibration(1.5, -0.2)
