"""Pre-training of Multi-SPARC: it resumes exactly, keeps its configuration, and is judged."""

import dataclasses
import json

import pytest

torch = pytest.importorskip("torch", reason="training needs torch: make setup-train")

from roomcad_core.library import Library  # noqa: E402
from roomcad_offline.cli import main  # noqa: E402
from roomcad_offline.multi_sparc import config as configs  # noqa: E402
from roomcad_offline.multi_sparc.judge import auc, judge  # noqa: E402
from roomcad_offline.multi_sparc.pose import LOGIT  # noqa: E402
from roomcad_offline.multi_sparc.refine import initial_pose, refine  # noqa: E402
from roomcad_offline.multi_sparc.sampling import classifier_poses  # noqa: E402
from roomcad_offline.multi_sparc.scenes import (  # noqa: E402
    CadBank,
    SceneConfig,
    SceneGenerator,
    Source,
)
from roomcad_offline.multi_sparc.train import TrainConfig, Trainer, _replaced  # noqa: E402

TINY = configs.ModelConfig(
    configs.NetworkConfig(n_mul=2, n_latent=4, width=32, blocks=1, self_layers=1, self_heads=2,
                          head_width=8, ff_mult=1),
    configs.InputConfig(20, 20, paired=True, object_frame=True),
)  # fmt: skip
SHORT = TrainConfig(preset="tiny", steps=4, images=2, save_every=2, judge_every=4, warm_up=2)


@pytest.fixture(scope="module")
def scenes():
    full = Library.load()
    library = Library([*full.of_class("chair")[:2], *full.of_class("table")[:2]], full.folder)
    small = dataclasses.replace(SceneConfig(), n_mul=2, width=80, height=60)
    return SceneGenerator(CadBank.build([Source(library)]), small, seed=1)


@pytest.fixture
def trainer(scenes, tmp_path, monkeypatch):
    monkeypatch.setitem(configs.PRESETS, "tiny", TINY)
    validation = [SceneGenerator(scenes.bank, scenes.config, seed=99).batch(3)]

    def make(folder="run", **changed):
        return Trainer(dataclasses.replace(SHORT, **changed), scenes, validation, tmp_path / folder)

    return make


def test_a_run_leaves_configuration_log_and_checkpoint(trainer, tmp_path):
    log = trainer().run()
    assert [row["step"] for row in log] == [2, 4]
    assert {"align", "classify", "images_per_second"} <= set(log[0])
    assert 0 <= log[-1]["accuracy"] <= log[-1]["accuracy_best_of_four"] <= 1
    assert json.loads((tmp_path / "run" / "config.json").read_text())["preset"] == "tiny"
    header, *rows = (tmp_path / "run" / "log.csv").read_text().splitlines()
    assert header.startswith("step,") and len(rows) == 2


def test_an_interrupted_run_goes_on_to_the_same_weights(trainer):
    whole = trainer("whole")
    whole.run()
    parts = trainer("parts")
    parts.train_step(), parts.train_step(), parts._record({"step": parts.step})
    resumed = trainer("parts")
    assert resumed.step == 2
    resumed.run()
    for a, b in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_a_run_may_become_longer_but_not_another(trainer):
    trainer().run()
    assert len(trainer(steps=6).run()) == 3
    with pytest.raises(ValueError, match="learning_rate"):
        trainer(learning_rate=0.5)


def test_while_the_rate_falls_the_networks_own_results_are_judged(trainer):
    run = trainer(steps=10, cool_down=0.5, images=4, judged_share=0.5, own_share=0.5, bf16=False)
    batch = run.scenes.batch(4, 0)
    assert run._own_poses(batch, torch.Generator().manual_seed(0)) is None
    run.step = 6
    own = run._own_poses(batch, torch.Generator().manual_seed(0))
    assert own.T.shape == (4, 1, 2, 3)  # of one image: half of the two that are judged
    start = initial_pose(batch[:1], "rgbd", run.pattern)
    with torch.no_grad():
        found, _ = refine(run.network, batch[:1], start, 3, run.pattern)
    for result in own.T[:, 0]:
        assert min((result - T).abs().max() for T in found.T[0]) < 1e-5
    fresh = classifier_poses(batch, torch.Generator().manual_seed(1))
    mixed = _replaced(fresh, own, 5)
    assert torch.equal(mixed.R[:1], own.R[1]) and torch.equal(mixed.R[1:], fresh.R[1:])
    assert run.train_step()["classify"] > 0


def test_the_learning_rate_rises_stays_and_falls(trainer):
    run = trainer(steps=10, warm_up=2, cool_down=0.4, learning_rate=0.1)
    rates = []
    for run.step in range(10):
        run._set_rate()
        rates.append(run.optimiser.param_groups[0]["lr"])
    want = [0.05, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.075, 0.05, 0.025]
    assert rates == pytest.approx(want)


def test_auc_by_hand():
    scores = torch.tensor([3.0, 2.0, 1.0, 2.0])
    assert auc(scores, torch.tensor([True, True, False, False])) == pytest.approx(0.875)
    assert auc(scores, torch.tensor([True] * 4)) == 0.5


def test_a_network_that_only_judges_leaves_the_poses_where_they_start(trainer):
    run = trainer()

    class Still(torch.nn.Module):
        config = run.network.config

        def forward(self, rows, mask, valid):
            output = rows.new_zeros(*valid.shape, 11)
            output[..., LOGIT] = 1.0
            return output

    still = Still()
    once = judge(still, run.validation, "rgbd", 0, run.pattern)
    often = judge(still, run.validation, "rgbd", 3, run.pattern)
    assert once == often and once["objects"] > 0
    assert once["accuracy"] == once["accuracy_first"]


def test_the_command_trains_and_refuses_what_it_does_not_know(tmp_path, monkeypatch):
    tiny = dataclasses.replace(TINY, network=dataclasses.replace(TINY.network, n_mul=5))
    monkeypatch.setitem(configs.PRESETS, "tiny", tiny)
    command = ["align", "train", str(tmp_path / "run"), "--preset", "tiny", "--steps", "1"]
    command += ["--images", "2", "--scene", "width=40", "--scene", "height=30"]
    assert main(command) == 0
    assert (tmp_path / "run" / "checkpoint.pt").is_file()
    assert main([*command, "--scene", "no=3"]) == 1
    assert main([*command, "--seed", "987654"]) == 1
