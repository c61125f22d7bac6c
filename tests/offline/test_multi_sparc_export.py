"""The exported loop against torch: every input variant, empty slots, every back-end; shipping."""

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from roomcad_core.engine import ROUGH, make_engine, verify  # noqa: E402
from roomcad_core.multi_sparc.loop import check_graph  # noqa: E402
from roomcad_core.multi_sparc.model_files import read_spec  # noqa: E402
from roomcad_offline.multi_sparc.config import (  # noqa: E402
    InputConfig,
    ModelConfig,
    NetworkConfig,
    preset,
)
from roomcad_offline.multi_sparc.export import (  # noqa: E402
    load_weights,
    save_loop,
)
from roomcad_offline.multi_sparc.export_example import (  # noqa: E402
    example_feeds,
    largest_differences,
    refined_by_torch,
)
from roomcad_offline.multi_sparc.network import MultiSparc  # noqa: E402
from roomcad_offline.multi_sparc.ship import check_file, ship  # noqa: E402
from roomcad_offline.weights import save_weights  # noqa: E402

SMALL = NetworkConfig(
    n_mul=3, n_latent=6, width=32, blocks=2, cross_heads=1, self_heads=2, head_width=8, ff_mult=2
)
INPUTS = InputConfig(30, 20)
SIZE = (24, 32)
NETWORKS = {
    "separate": {},
    "joint encoding": {"joint_encoding": True},
    "joint decoding": {"joint_decoding": True},
    "several heads": {"cross_heads": 3},
    "tied": {"tied": True, "blocks": 3},
    "Fourier rows": {"fourier_rows": True},
    "MLP": {"head": "mlp"},
    "exptanh": {"scale_factor": "exptanh"},
    "single object": {"n_mul": 1},
}
ROWS = {
    "paper": {},
    "paired": {"paired": True},
    "object frame": {"object_frame": True},
    "both": {"paired": True, "object_frame": True},
    "both, Fourier rows": {"paired": True, "object_frame": True},
}


def moving(config, seed=0):
    """A network none of whose parameters is special, and which really moves poses."""
    torch.manual_seed(seed)
    network = MultiSparc(config).eval().requires_grad_(False)
    for parameter in network.parameters():
        if parameter.ndim == 1:
            parameter.add_(0.1 * torch.randn_like(parameter))
    network.head[-1].weight.mul_(12)
    return network


def small(inputs=None, **changes):
    config = ModelConfig(replace(SMALL, **changes), replace(INPUTS, **(inputs or {})))
    return moving(config)


def exported(network, n, tmp_path, engine="onnxruntime", size=SIZE, **options):
    save_loop(network, n, tmp_path / "loop.onnx", size)
    return make_engine(tmp_path / "loop.onnx", engine, 1, **options)


def assert_equal_to_torch(network, tmp_path, n=3, empty=1, size=SIZE, tolerance=1e-3, **options):
    """Compare with torch; `tolerance` in [m], entries of R, and logits. Returns the differences."""
    empty = min(empty, network.config.network.n_mul - 1)
    feeds = example_feeds(network.config, 4, size, empty=empty)
    out = exported(network, n, tmp_path, size=size, **options)(feeds)
    wanted = refined_by_torch(network, feeds, n)
    assert all(np.isfinite(array).all() for array in out.values())
    differences = largest_differences(out, wanted, feeds["valid"])
    assert max(differences.values()) < tolerance, differences
    start = {"T_out": feeds["T"], "R_out": feeds["R"], "S_out": feeds["S"]}
    for name, array in start.items():  # it is not the start that agrees
        assert np.abs(wanted[name] - array)[:, feeds["valid"]].max() > 0.05, name
    return differences


@pytest.mark.parametrize("name", NETWORKS)
def test_every_form_of_the_network_equals_torch(name, tmp_path):
    assert_equal_to_torch(small(**NETWORKS[name]), tmp_path)


@pytest.mark.parametrize("name", ROWS)
def test_every_form_of_the_rows_equals_torch(name, tmp_path):
    network = small(ROWS[name], fourier_rows="Fourier" in name)
    assert_equal_to_torch(network, tmp_path)
    assert_equal_to_torch(network, tmp_path, n=1, empty=0)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("name", ["live", "sparse"])
def test_presets_equal_torch_on_every_back_end(name, engine, tmp_path):
    pytest.importorskip(engine)
    network = moving(preset(name))
    assert_equal_to_torch(network, tmp_path, n=2, size=(120, 160), engine=engine)


def test_bfloat16_stays_near_float32_and_keeps_the_geometry_exact(tmp_path, monkeypatch):
    # Stated tolerance: 6 cm with a random network that moves objects by 1 m and more.
    pytest.importorskip("openvino")
    from roomcad_core.engine import bfloat16

    if not bfloat16.supported():
        pytest.skip("this CPU has no bfloat16 instructions")
    monkeypatch.setattr(bfloat16, "pays", lambda: True)
    options = {"engine": "openvino", "precision": "bf16", "size": (120, 160)}
    network = moving(preset("live"))
    differences = assert_equal_to_torch(network, tmp_path, n=2, tolerance=0.06, **options)
    assert max(differences.values()) > 1e-5  # it is bfloat16
    # Rounded metres would show here: bfloat16 knows 3 m only to 1 cm.
    network.head[-1].weight.zero_()
    network.head[-1].bias.zero_()
    feeds = example_feeds(network.config, 4)
    out = exported(network, 2, tmp_path, **options)(feeds)
    np.testing.assert_allclose(out["T_out"], feeds["T"], atol=1e-5)


def test_the_number_of_initialisations_is_free_and_they_do_not_mix(tmp_path):
    network = small()
    engine = exported(network, 1, tmp_path)
    four = example_feeds(network.config, 4, SIZE)
    out = engine(four)
    one = engine(four | {name: four[name][2:3] for name in "TRS"})
    for name, array in one.items():
        np.testing.assert_allclose(array[0], out[name][2], atol=1e-5)


def test_poses_that_are_no_poses_do_not_touch_other_objects(tmp_path):
    network = small({"object_frame": True, "paired": True})
    engine = exported(network, 1, tmp_path)
    feeds = example_feeds(network.config, 2, SIZE, empty=1)
    want = engine(feeds)
    for value in (np.nan, np.inf, 1e30, 0.0):
        feeds["T"][:, 2] = value  # the empty slot's
        got = engine(feeds)
        for name in want:
            np.testing.assert_allclose(got[name][:, :2], want[name][:, :2], atol=1e-5)


def test_objects_nobody_sees_and_images_without_depth_give_finite_poses(tmp_path):
    network = small({"object_frame": True, "paired": True})
    engine = exported(network, 2, tmp_path)
    feeds = example_feeds(network.config, 2, SIZE)
    for name in ("depth", "normal", "instance"):
        feeds[name][:] = 0
    feeds["box"] += 500  # outside the image
    feeds["T"][:, 0, 2] = -3  # behind the camera
    out = engine(feeds)
    assert all(np.isfinite(array).all() for array in out.values())
    wanted = refined_by_torch(network, feeds, 2)
    assert max(largest_differences(out, wanted, feeds["valid"]).values()) < 1e-3


def test_what_does_not_depend_on_the_pose_is_computed_once(tmp_path):
    def matrices(n):
        save_loop(small(), n, tmp_path / "loop.onnx", SIZE)
        graph = onnx.load(tmp_path / "loop.onnx").graph
        return len(graph.initializer), [node.op_type for node in graph.node].count("Gather")

    constants, gathers = zip(*(matrices(n) for n in (1, 2, 3)), strict=True)
    assert constants[1] == constants[2]  # all passes share their weights
    assert gathers[2] - gathers[1] == gathers[1] - gathers[0]


def test_only_the_latents_may_be_computed_in_less_than_float32(tmp_path):
    save_loop(small(), 1, tmp_path / "loop.onnx", SIZE)
    nodes = onnx.load(tmp_path / "loop.onnx").graph.node
    rough = {node.op_type for node in nodes if node.name.startswith(ROUGH)}
    assert {"MatMul", "Gelu", "LayerNormalization", "Softmax"} <= rough
    assert not rough & {"Gather", "Floor", "Sin", "Where", "Div", "Sqrt"}
    assert all(node.name.startswith((ROUGH, "exact/")) for node in nodes)


def test_weights_that_are_not_finite_are_refused_by_name(tmp_path):
    network = small()
    network.blocks[1].cross.key.weight[0, 0] = float("nan")
    for write in (lambda p: save_loop(network, 1, p), lambda p: save_weights(network, p)):
        with pytest.raises(ValueError, match=r"not finite: blocks.1.cross.key.weight \(1 in all\)"):
            write(tmp_path / "loop.onnx")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="updates: expected 0 or more, got -1"):
        save_loop(small(), -1, tmp_path / "loop.onnx")


def test_a_shipped_network_is_what_the_robot_expects(tmp_path):
    network = moving(preset("live"))
    (tmp_path / "manifest.json").write_text('{"version": 1, "models": {"other": {"task": "x"}}}')
    about = {"steps": 7}
    specs = ship(network, "live", tmp_path, (2, 1), temperature=1.5, about=about, mode="rgb")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert sorted(manifest["models"]) == ["live", "other"]
    for n, spec in specs.items():
        assert spec == read_spec(tmp_path, "live", n)
        assert spec.onnx.name == f"align_live_n{n}.onnx" and spec.temperature == 1.5
        assert spec.mode == "rgb"
        verify(spec.onnx, spec.sha256)
        check_graph(spec, make_engine(spec.onnx, "onnxruntime"))
    loaded = load_weights(tmp_path / "align_live.safetensors")
    assert loaded.config == network.config
    for name, value in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value, rtol=0, atol=0)


def test_a_file_that_differs_from_torch_is_not_shipped(tmp_path):
    network, other = small(), moving(ModelConfig(SMALL, INPUTS), seed=1)
    save_loop(other, 1, tmp_path / "loop.onnx", SIZE)
    check_file(other, 1, tmp_path / "loop.onnx", SIZE)
    with pytest.raises(ValueError, match="loop.onnx: differs from torch by"):
        check_file(network, 1, tmp_path / "loop.onnx", SIZE)


def test_damaged_weights_are_refused_by_name(tmp_path):
    path = tmp_path / "align.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="align.safetensors: not the weights of a Multi-SPARC"):
        load_weights(path)
