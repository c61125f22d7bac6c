"""The ablations: one thing changed in each, all trained alike, resumed, and ready to predict."""

import dataclasses
import json

import pytest

torch = pytest.importorskip("torch", reason="training needs torch: make setup-train")

from roomcad_core.library import Library  # noqa: E402
from roomcad_offline.cli import build_parser  # noqa: E402
from roomcad_offline.multi_sparc import variants as named  # noqa: E402
from roomcad_offline.multi_sparc.ablate import ablate  # noqa: E402
from roomcad_offline.multi_sparc.benchmark.network import load_trained  # noqa: E402
from roomcad_offline.multi_sparc.config import PRESETS, config_from_dict, preset  # noqa: E402
from roomcad_offline.multi_sparc.network import MultiSparc  # noqa: E402
from roomcad_offline.multi_sparc.scenes import CadBank, SceneConfig, Source  # noqa: E402
from roomcad_offline.multi_sparc.train import TrainConfig  # noqa: E402
from roomcad_offline.tables.rooms import TABLE1, TABLE4  # noqa: E402

SHORT = TrainConfig(steps=1, images=2, save_every=1, judge_every=1, judged_images=2, warm_up=1)
SMALL = dataclasses.replace(SceneConfig(), n_mul=2, width=64, height=48)


@pytest.fixture(scope="module")
def bank():
    full = Library.load()
    return CadBank.build([Source(Library([*full.of_class("chair")[:2]], full.folder))])


@pytest.fixture
def tiny(monkeypatch):
    """Variants of a tiny `live`."""
    live = preset("live")
    network = dataclasses.replace(live.network, n_mul=2, width=32, blocks=1, self_layers=1)
    inputs = dataclasses.replace(live.inputs, n_bbox=20, n_cad=20)
    monkeypatch.setitem(PRESETS, "live", dataclasses.replace(live, network=network, inputs=inputs))


def test_each_variant_differs_from_live_in_what_its_name_says():
    live, found = preset("live"), named.variants()
    assert found["reference"] == live
    differs = {
        name: {
            field
            for part in ("network", "inputs")
            for field, value in dataclasses.asdict(getattr(model, part)).items()
            if getattr(getattr(live, part), field) != value
        }
        for name, model in found.items()
    }
    rows = {"n_bbox", "n_cad"}
    assert differs == {
        "reference": set(),
        "joint-decoding": {"joint_decoding"},
        "joint-encoding": {"joint_encoding"},
        "single-object": {"n_mul"},
        "sparse-joint": rows | {"joint_encoding"},
        "sparsest-joint": rows | {"joint_encoding"},
        "latents-half": {"n_latent"},
        "mul-10-latents-quarter": {"n_mul", "n_latent"},
        "mul-10-latents-half": {"n_mul", "n_latent"},
        "sparse": rows,
        "not-paired": {"paired"},
        "no-object-frame": {"object_frame"},
        "paper-inputs": {"paired", "object_frame"},
    }
    for model in found.values():
        assert config_from_dict(dataclasses.asdict(model)) == model
        assert sum(p.numel() for p in MultiSparc(model).parameters()) < 6e6


def test_the_tables_name_variants_that_exist():
    runs = {name for name, _ in (*TABLE1.values(), *TABLE4.values())}
    assert runs - {"live", "live-single"} <= set(named.variants())


def test_preset_names_do_not_hide_those_of_the_paper():
    names = {named.preset_name(name) for name in named.variants()}
    assert names & set(PRESETS) == {"live"}


def test_variants_are_trained_alike_and_go_on(bank, tmp_path, tiny):
    chosen = ("reference", "joint-encoding", "single-object", "mul-10-latents-half")
    path = ablate(tmp_path, bank, SHORT, SMALL, chosen)
    listed = json.loads(path.read_text())
    assert set(listed) == set(chosen)
    assert {row["step"] for row in listed.values()} == {1}
    configs = {n: json.loads((tmp_path / n / "config.json").read_text()) for n in chosen}
    common = [{k: v for k, v in c.items() if k not in ("preset", "model", "scenes")}
              for c in configs.values()]  # fmt: skip
    assert all(c == common[0] for c in common)
    assert configs["mul-10-latents-half"]["scenes"]["n_mul"] == 10
    assert configs["single-object"]["scenes"]["n_mul"] == 2  # the same images as the others
    assert load_trained(tmp_path / "joint-encoding").network.config.network.joint_encoding
    longer = dataclasses.replace(SHORT, steps=2)
    ablate(tmp_path, bank, longer, SMALL, ("reference",))
    assert json.loads(path.read_text())["reference"]["step"] == 2


def test_unknown_variants_are_refused(bank, tmp_path):
    with pytest.raises(ValueError, match="no variant nothing; there are reference, joint-decoding"):
        ablate(tmp_path, bank, SHORT, SMALL, ("nothing",))


def test_the_command_exists():
    args = build_parser().parse_args(["align", "ablate", "folder", "--steps", "7"])
    assert (args.folder.name, args.steps, args.only) == ("folder", 7, [])
