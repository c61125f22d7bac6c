"""Training in several processes: one set of weights, files written once, pictures drawn."""

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="training needs torch: make setup-train")

from roomcad_offline.multi_sparc.curves import draw_curves, read_log  # noqa: E402

PROGRAM = """
import sys
from roomcad_core.library import Library
from roomcad_offline.multi_sparc import config as configs
from roomcad_offline.multi_sparc.group import join_group
from roomcad_offline.multi_sparc.scenes import CadBank, SceneConfig, SceneGenerator, Source
from roomcad_offline.multi_sparc.train import TrainConfig, Trainer
import torch
torch.set_num_threads(1)
configs.PRESETS["tiny"] = configs.ModelConfig(
    configs.NetworkConfig(n_mul=2, n_latent=2, width=16, blocks=1, self_layers=1, self_heads=2,
                          head_width=8, ff_mult=1), configs.InputConfig(8, 8))
group, device = join_group("cpu")
full = Library.load()
bank = CadBank.build([Source(Library(full.of_class("chair")[:2], full.folder))])
scenes = SceneGenerator(bank, SceneConfig(n_mul=2, width=40, height=30), 1, group.rank)
config = TrainConfig(preset="tiny", steps=2, images=4, save_every=1, judge_every=2)
trainer = Trainer(config, scenes, [scenes.batch(2, 99)], sys.argv[1], group)
trainer.run()
torch.save([p.data for p in trainer.network.parameters()], f"{sys.argv[1]}/rank{group.rank}.pt")
"""


def test_two_processes_keep_one_set_of_weights_and_see_different_scenes(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
           str(program), str(tmp_path / "run")]  # fmt: skip
    done = subprocess.run(run, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    ranks = [torch.load(tmp_path / "run" / f"rank{r}.pt", weights_only=True) for r in range(2)]
    for a, b in zip(*ranks, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    log = (tmp_path / "run" / "log.csv").read_text().splitlines()
    assert len(log) == 3
    alone = [sys.executable, str(program), str(tmp_path / "alone")]
    subprocess.run(alone, check=True, capture_output=True, timeout=300)
    single = torch.load(tmp_path / "alone" / "rank0.pt", weights_only=True)
    assert any(not torch.equal(a, b) for a, b in zip(single, ranks[0], strict=True))


def test_curves_are_drawn_from_the_log(tmp_path):
    (tmp_path / "log.csv").write_text("step,align,accuracy\n200,0.5,\n400,0.4,0.25\n")
    assert read_log(tmp_path / "log.csv")["accuracy"] == ([400], [0.25])
    assert draw_curves(tmp_path, images=20).stat().st_size > 5000
