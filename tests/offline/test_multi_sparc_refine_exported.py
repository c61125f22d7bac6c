"""Evaluation's refining by the exported loop: the same results as torch, for batches of images."""

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from roomcad_offline.multi_sparc.config import (  # noqa: E402
    InputConfig,
    ModelConfig,
    NetworkConfig,
)
from roomcad_offline.multi_sparc.export_example import example_feeds  # noqa: E402
from roomcad_offline.multi_sparc.inputs import sample_pattern  # noqa: E402
from roomcad_offline.multi_sparc.network import MultiSparc  # noqa: E402
from roomcad_offline.multi_sparc.pose import Pose  # noqa: E402
from roomcad_offline.multi_sparc.refine import refine  # noqa: E402
from roomcad_offline.multi_sparc.refine_exported import ExportedRefine  # noqa: E402

NETWORK = NetworkConfig(
    n_mul=3, n_latent=6, width=32, blocks=2, cross_heads=1, self_heads=2, head_width=8, ff_mult=2
)
SIZE = (24, 32)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = MultiSparc(ModelConfig(NETWORK, InputConfig(30, 20))).eval().requires_grad_(False)
    network.head[-1].weight.mul_(12)  # it really moves poses
    return network


def images(network, seeds):
    """Images with one, two, ... empty slots, and four poses of each object."""
    feeds = [example_feeds(network.config, 4, SIZE, seed=s, empty=s) for s in seeds]
    stacked = {n: torch.from_numpy(np.stack([f[n] for f in feeds])) for n in feeds[0]}
    pose = Pose(*(stacked.pop(n) for n in "TRS"))
    return SimpleNamespace(**stacked), pose


@pytest.mark.parametrize(("seeds", "n"), [((0, 1), 2), ((2,), 2), ((0, 1), 0)])
def test_it_equals_torch(network, seeds, n):
    batch, pose = images(network, seeds)
    wanted = refine(network, batch, pose, n, sample_pattern(network.config.inputs.n_bbox))
    found = ExportedRefine(network, SIZE, "onnxruntime")(batch, pose, n)
    valid = batch.valid[:, None].expand(len(seeds), 4, -1)
    for a, b in zip((*found[0], found[1]), (*wanted[0], wanted[1]), strict=True):
        assert a.shape == b.shape
        assert (a - b).abs()[valid].max() < 1e-3
    moved = (found[0].T - pose.T).abs()[valid].max()
    assert moved > 0.05 if n else moved == 0
