"""A shipped file of weights stands in for the training that it came from."""

import json

import pytest

torch = pytest.importorskip("torch", reason="make setup-train")

from roomcad_core.manifest import write_entry  # noqa: E402
from roomcad_offline.multi_sparc.benchmark.network import load_trained  # noqa: E402
from roomcad_offline.multi_sparc.config import ModelConfig, NetworkConfig  # noqa: E402
from roomcad_offline.multi_sparc.network import MultiSparc  # noqa: E402
from roomcad_offline.multi_sparc.ship import training  # noqa: E402
from roomcad_offline.multi_sparc.shipped import about_training, is_shipped, name_of  # noqa: E402
from roomcad_offline.room_benchmark.cli import default_name  # noqa: E402
from roomcad_offline.room_benchmark.variant import Variant  # noqa: E402
from roomcad_offline.weights import save_weights  # noqa: E402


@pytest.fixture
def shipped(tmp_path):
    small = NetworkConfig(n_mul=2, n_latent=2, width=16, blocks=1, self_heads=2, head_width=8)
    network = MultiSparc(ModelConfig(small))
    about = {"run": "long", "steps": 70, "mode": "rgb", "preset": "live", "images_a_step": 20}
    about |= {"height": 60, "width": 80}
    save_weights(network, tmp_path / "align_tiny.safetensors", about)
    return network, tmp_path / "align_tiny.safetensors"


def test_it_has_the_weights_and_settings_of_its_training(shipped):
    network, path = shipped
    trained = load_trained(path)
    assert (trained.name, trained.mode, trained.steps) == ("tiny", "rgb", 70)
    assert trained.size == (60, 80) and trained.calibration.temperature == 1
    write_entry(path.parent, "tiny", {"temperature": 1.5})
    assert load_trained(path).calibration.temperature == 1.5
    for name, value in network.state_dict().items():
        assert torch.equal(trained.network.state_dict()[name], value)
    assert about_training(path) == {
        "preset": "live", "images_a_step": 20, "steps": 70, "mode": "rgb"
    }  # fmt: skip


def test_predictions_are_called_like_the_model(shipped):
    assert is_shipped(shipped[1]) and not is_shipped(shipped[1].parent)
    assert name_of("runs/align/long") == "long"
    assert default_name(Variant(str(shipped[1]), input="rgb")) == "tiny-rgb"


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "align_x.safetensors"
    path.write_bytes(b"\0" * 40)
    with pytest.raises(ValueError, match=r"align_x\.safetensors: not"):
        load_trained(path)
    with pytest.raises(FileNotFoundError):
        load_trained(tmp_path / "align_y.safetensors")


def test_what_a_training_tells_its_shipped_file(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"preset": "live", "images": 20, "steps": 3}))
    assert training(tmp_path) == {"preset": "live", "images_a_step": 20}
    assert training(tmp_path / "align_x.safetensors") == {}
