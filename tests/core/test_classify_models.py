"""models/manifest.json: whatever is wrong with it is refused by file and field."""

import json

import numpy as np
import pytest

from roomcad_core.classify.crop_network import load_network
from roomcad_core.classify.model_files import read_spec

LABELS = ["chair", "table", "other"]
WEIGHT = np.zeros((3, 7))


@pytest.fixture
def folder(write_model, tmp_path):
    write_model(LABELS, WEIGHT)
    return tmp_path / "models"


def rewrite(folder, **changed):
    """Change keys of the entry `deployed`; None takes a key away."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    entry = manifest["models"]["deployed"] | changed
    manifest["models"]["deployed"] = {k: v for k, v in entry.items() if v is not None}
    path.write_text(json.dumps(manifest))


def test_an_entry_is_read(folder):
    rewrite(folder, temperature=2)
    spec = read_spec(folder, "deployed")
    assert spec.onnx == folder / "pointnet_deployed.onnx"
    assert (spec.labels, spec.points, spec.cloud) == (tuple(LABELS), 128, "trimmed_box")
    assert (spec.extra, spec.temperature) == (True, 2)


def test_entries_of_other_tasks_may_look_different(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["models"]["sparc"] = {"task": "align", "onnx": "sparc.onnx"}
    path.write_text(json.dumps(manifest))
    assert read_spec(folder, "deployed").name == "deployed"
    with pytest.raises(ValueError, match=r"models\.sparc: got \['onnx', 'task'\], expected"):
        read_spec(folder, "sparc")


def test_a_missing_manifest_says_what_works_without(tmp_path):
    with pytest.raises(FileNotFoundError, match="manifest.json: no such file.*box_size"):
        read_spec(tmp_path, "deployed")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("[]", r"got \[\], expected version and models"),
        ('{"models": {}}', r"got \['models'\], expected version and models"),
        ('{"version": 1, "models": {}, "x": 1}', "'x'"),
        ('{"version": 2, "models": {}}', "version: got 2, expected 1"),
        ('{"version": 1, "models": []}', r"models: got \[\], expected a mapping"),
        ('{"version": 1, "models": {"rot32": {}}}', r"no 'deployed', it has \['rot32'\]"),
        ('{"version": 1, "models": {"deployed": 3}}', r"models\.deployed: got 3, expected \["),
    ],
)
def test_a_wrong_manifest_is_refused(folder, text, why):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=f"manifest.json: .*{why}"):
        read_spec(folder, "deployed")


WRONG = {
    "task": ("align", "got 'align', expected 'classify'"),
    "onnx": ("../secret.onnx", "got '../secret.onnx', expected a file inside"),
    "sha256": ("abc", "got 'abc', expected 64 hexadecimal digits"),
    "labels": (["chair", "throne"], r"got \['chair', 'throne'\], expected a list of"),
    "points": (4, "got 4, expected 32 to 8192"),
    "cloud": ("cube", "got 'cube', expected one of trimmed_box, unit_sphere"),
    "extra": ("yes", "got 'yes', expected true"),
    "temperature": (0.0, "got 0.0, expected a number above 0"),
}
MORE = [
    ("onnx", "/etc/passwd"),
    ("onnx", 3),
    ("onnx", "a\0b"),
    ("labels", "chair"),
    ("labels", ["chair", "chair"]),
    ("labels", ["chair", ["table"]]),
    ("labels", []),
    ("points", True),
    ("points", 128.0),
    ("points", 10**9),
    ("cloud", ["trimmed_box"]),
    ("temperature", float("nan")),
    ("temperature", "1"),
    ("temperature", True),
    ("temperature", 10**400),
]


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [(k, *v) for k, v in WRONG.items()] + [(k, v, "got") for k, v in MORE],
)
def test_a_wrong_value_is_refused_with_its_field(folder, key, value, why):
    rewrite(folder, **{key: value})
    with pytest.raises(ValueError, match=rf"manifest.json: models\.deployed\.{key}: .*{why}"):
        read_spec(folder, "deployed")


@pytest.mark.parametrize("key", WRONG)
def test_a_missing_key_is_refused(folder, key):
    rewrite(folder, **{key: None})
    with pytest.raises(ValueError, match=f"deployed: got .* expected .*'{key}'"):
        read_spec(folder, "deployed")


def test_an_unknown_key_is_refused(folder):
    rewrite(folder, colour="red")
    with pytest.raises(ValueError, match="deployed: got .*'colour'"):
        read_spec(folder, "deployed")


def test_the_study_clouds_have_no_extra_numbers(folder):
    rewrite(folder, cloud="unit_sphere")
    with pytest.raises(ValueError, match=r"extra: got True, expected true with .* or false"):
        read_spec(folder, "deployed")


def test_a_changed_or_missing_onnx_file_is_refused(folder):
    onnx = folder / "pointnet_deployed.onnx"
    onnx.write_bytes(onnx.read_bytes() + b"\0")
    with pytest.raises(ValueError, match="pointnet_deployed.onnx: sha256: got"):
        load_network("deployed", "auto")
    onnx.unlink()
    with pytest.raises(FileNotFoundError, match="pointnet_deployed.onnx"):
        load_network("deployed", "auto")


@pytest.mark.parametrize(
    ("graph", "why"),
    [
        ({"labels": LABELS[:2]}, r"'logits': got float32 \(batch, 3\), .* \(batch, 2\)"),
        ({"extra": False}, r"inputs: got \['extra', 'points'\], expected \['points'\]"),
        ({"weight": np.zeros((3, 3))}, r"inputs: got \['points'\], expected \['extra', 'points'\]"),
        ({"weight": np.zeros((3, 8))}, r"'extra': got float32 \(batch, 5\), .* \(batch, 4\)"),
        ({"sizes": {"n": 64}}, r"'points': got float32 \(batch, 64, 3\), .* \(batch, 128, 3\)"),
        ({"sizes": {"batch": 1}}, r"'points': got float32 \(1, n, 3\), .* \(batch, 128, 3\)"),
    ],
)
def test_a_network_that_does_not_fit_its_entry_is_refused(write_model, graph, why):
    write_model(**{"labels": LABELS, "weight": WEIGHT} | graph)
    with pytest.raises(ValueError, match=f"pointnet_deployed.onnx: .*{why}"):
        load_network("deployed", "auto")


def test_a_fixed_number_of_points_that_fits_is_accepted(write_model):
    write_model(LABELS, WEIGHT, sizes={"n": 128})
    assert load_network("deployed", "onnxruntime").spec.points == 128


def test_a_network_without_embedding_is_refused(write_model, tmp_path):
    import hashlib

    import onnx

    write_model(LABELS, WEIGHT)
    path = tmp_path / "models" / "pointnet_deployed.onnx"
    model = onnx.load(path)
    del model.graph.output[1]
    onnx.save(model, path)
    rewrite(path.parent, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(ValueError, match=r"outputs: got \['logits'\], expected"):
        load_network("deployed", "auto")
