"""Aligners in models/manifest.json: what is wrong with an entry or a file is said by name."""

import dataclasses
import json

import numpy as np
import pytest
from fake_networks import write_entry, write_finder, write_idle_aligner

from roomcad_core.align import MultiSparcAligner, make_aligner
from roomcad_core.camera import unproject
from roomcad_core.config import (
    AlignConfig,
    ClassifyConfig,
    PipelineConfig,
    TrackConfig,
)
from roomcad_core.library import Library
from roomcad_core.multi_sparc.choice import PolishedScore, Weights
from roomcad_core.multi_sparc.loop import load_loop
from roomcad_core.multi_sparc.model_files import read_spec
from roomcad_core.pipeline import Pipeline
from roomcad_core.pose import rigid
from roomcad_core.types import Frame

CONFIG = PipelineConfig(
    classify=ClassifyConfig(model="box_size"),
    align=AlignConfig(aligner="multi_sparc", engine="onnxruntime"),
    tracks=TrackConfig(enabled=False),
)


POLISHED = {
    "choice": {"sigma": 0.5, "fit": 2, "agreement": 0, "bias": 0},
    "several": {"sigma": 0.5, "fit": 2, "agreement": 1.5, "bias": -0.25},
    "alone": {"sigma": 1, "fit": 3, "agreement": 0, "bias": 0},
}


@pytest.fixture(scope="module")
def library():
    """A small one: the classifier looks at every model."""
    return Library(Library.load().of_class("cabinet")[:6])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A models folder with an aligner `live`, which leaves all poses as they are.

    Its instance network finds the box of box_on_floor.
    """
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    folder = tmp_path / "models"
    monkeypatch.setenv("ROOMCAD_MODELS", str(folder))
    write_idle_aligner(folder)
    box = np.zeros((120, 160), bool)  # a cell is 4 x 4 px
    box[78:, 62:98] = box[74:78, 66:94] = True  # its front and its top
    write_finder(folder, box)
    write_entry(folder, "deployed", {"task": "classify"})
    return folder


def rewrite(folder, **changed):
    """Change keys of the entry `live`; None takes a key away."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    entry = manifest["models"]["live"] | changed
    manifest["models"]["live"] = {k: v for k, v in entry.items() if v is not None}
    path.write_text(json.dumps(manifest))


def test_weights_of_polished_poses_are_read(folder):
    rewrite(folder, polished=POLISHED)
    score = PolishedScore(Weights(0.5, 2), Weights(0.5, 2, 1.5, -0.25), Weights(1, 3))
    assert read_spec(folder, "live", 3).polished == score


def test_an_entry_is_read(folder):
    spec = read_spec(folder, "live", 3)
    assert spec.onnx == folder / "align_live_n3.onnx" and spec.updates == 3
    assert (spec.objects, spec.cad_points, spec.width, spec.height) == (5, 50, 80, 60)
    assert spec.temperature == 1.5


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("task", "classify", "got 'classify', expected 'align'"),
        ("updates", [3], r"got \[3\], expected a mapping"),
        ("objects", 0, "got 0, expected 1 to 32"),
        ("objects", True, "got True, expected 1 to 32"),
        ("cad_points", 5000, "got 5000, expected 1 to 4096"),
        ("width", 80.0, "got 80.0, expected 16 to 1280"),
        ("height", "60", "got '60', expected 12 to 1280"),
        ("mode", "depth", "got 'depth', expected 'rgbd' or 'rgb'"),
        ("temperature", 0, "got 0, expected a number above 0"),
        ("temperature", float("nan"), "got nan, expected a number above 0"),
        ("polished", {"choice": {}}, "got .*expected alone, choice, several, each with numbers"),
        ("polished", POLISHED | {"alone": {"sigma": 1.0}}, "got .*bias, fit, sigma below"),
        ("polished", POLISHED | {"alone": [1, 2, 3, 4]}, "got .*expected alone, choice, several"),
        ("polished", [1, 2, 3], r"got \[1, 2, 3\], expected alone"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field(folder, key, value, why):
    rewrite(folder, **{key: value})
    with pytest.raises(ValueError, match=rf"manifest.json: models\.live\.{key}: {why}"):
        read_spec(folder, "live", 3)


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (3, "3: got 3, expected onnx and sha256"),
        ({"onnx": "a.onnx"}, r"3: got \['onnx'\], expected onnx and sha256"),
        ({"onnx": "../a.onnx", "sha256": "0" * 64}, "3.onnx: got '../a.onnx', expected a file in"),
        ({"onnx": "a.onnx", "sha256": "0"}, "3.sha256: got '0', expected 64 hexadecimal"),
    ],
)
def test_a_wrong_file_is_refused_with_its_field(folder, file, why):
    rewrite(folder, updates={"3": file})
    with pytest.raises(ValueError, match=rf"models\.live\.updates\.{why}"):
        read_spec(folder, "live", 3)


@pytest.mark.parametrize("key", ["task", "updates", "mode", "temperature"])
def test_a_missing_key_is_refused(folder, key):
    rewrite(folder, **{key: None})
    with pytest.raises(ValueError, match=f"models.live: got .* expected .*'{key}'"):
        read_spec(folder, "live", 3)


def test_a_missing_entry_and_a_missing_number_of_updates_say_what_there_is(folder):
    with pytest.raises(ValueError, match=r"no 'main', it has \['deployed', 'instances', 'live'\]"):
        read_spec(folder, "main", 3)
    with pytest.raises(ValueError, match=r"models\.live\.updates: no '2', it has \['3'\]"):
        read_spec(folder, "live", 2)


def test_a_missing_manifest_says_what_works_without(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"manifest.json: no such file.*icp"):
        read_spec(tmp_path, "live", 3)


def test_a_changed_or_missing_onnx_file_is_refused(folder):
    onnx = folder / "align_live_n3.onnx"
    onnx.write_bytes(onnx.read_bytes() + b"\0")
    with pytest.raises(ValueError, match="align_live_n3.onnx: sha256: got"):
        load_loop("live", 3)
    onnx.unlink()
    with pytest.raises(FileNotFoundError, match="align_live_n3.onnx"):
        load_loop("live", 3)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"objects": 6}, r"'valid': got bool \(5\), expected bool \(6\)"),
        ({"cad_points": 200}, r"'cad_points': got .* \(5, 50, 3\), expected .* \(5, 200, 3\)"),
        ({"width": 160}, r"'rgb': got float32 \(3, 60, 80\), expected float32 \(3, 60, 160\)"),
    ],
)
def test_an_onnx_file_of_another_configuration_is_refused(folder, changed, why):
    rewrite(folder, **changed)
    with pytest.raises(ValueError, match=f"align_live_n3.onnx: {why}"):
        load_loop("live", 3)


def test_the_config_chooses_the_aligner_and_the_pipeline_names_its_engine(library, folder):
    align = make_aligner(CONFIG.align, library)
    assert isinstance(align, MultiSparcAligner) and "onnxruntime" in align.engine
    assert Pipeline(CONFIG, library).engine == align.engine


def test_changed_settings_load_no_network_again_that_serves_as_it_is(library, folder):
    before = Pipeline(CONFIG, library)
    loops = before.follower.aligner._loops
    align = dataclasses.replace(CONFIG.align, n_tried=1)
    after = Pipeline(dataclasses.replace(CONFIG, align=align), library, before).follower.aligner
    assert after._config.n_tried == 1 and after._loops == loops
    for changed in ({"engine": "auto"}, {"n_yaw": 2}):
        other = make_aligner(dataclasses.replace(CONFIG.align, **changed), library, before=after)
        assert not set(other._loops.values()) & set(loops.values())


def test_what_is_not_followed_gets_the_updates_of_the_config_whatever_tracks_ask_for(
    library, folder
):
    file = json.loads((folder / "manifest.json").read_text())["models"]["live"]["updates"]["3"]
    rewrite(folder, updates={"1": file, "3": file})
    align = make_aligner(CONFIG.align, library, updates=(1, 3))
    assert align._loop.spec.updates == 3 and sorted(align._loops) == [1, 3]


def test_the_pipeline_aligns_with_the_exported_graph(library, folder):
    alignments, segmentation = Pipeline(CONFIG, library)(box_on_floor())
    assert len(segmentation.objects) == 1
    (found,) = alignments
    # The graph leaves poses as they start, a little behind the seen front; logit = z.
    x, _, z = found.T_cam_obj[:3, 3]
    assert abs(x) < 0.05 and 2.3 < z < 2.6
    assert found.score == pytest.approx(1 / (1 + np.exp(-z / 1.5)), rel=1e-5)
    np.testing.assert_allclose(found.T_cam_obj[:3, 1], [0, -1, 0], atol=0.02)


def box_on_floor():
    """Frame of a level camera 1.2 m above the floor; a box 0.6 m wide, 0.9 m high, 2.3 m ahead."""
    K = np.array([[550.0, 0, 319.5], [0, 550, 239.5], [0, 0, 1]])
    rays = unproject(np.ones((480, 640), np.float32), K)
    depth = np.full((480, 640), np.inf)
    for normal, offset, low, high in (
        ([0, 1, 0], 1.2, -9, 9),  # floor
        ([0, 0, 1], 5.0, -9, 9),  # wall
        ([0, 0, 1], 2.3, (-0.3, 0.3, 2.2), (0.3, 1.2, 2.4)),  # front of the box
        ([0, 1, 0], 0.3, (-0.3, 0.2, 2.3), (0.3, 0.4, 2.9)),  # its top
    ):
        with np.errstate(divide="ignore"):
            z = offset / (rays @ normal)
        with np.errstate(invalid="ignore"):
            point = rays * z[..., None]
        hit = (z > 0) & np.isfinite(z) & ((point >= low) & (point <= high)).all(-1)
        depth = np.where(hit & (z < depth), z, depth)
    depth[~np.isfinite(depth)] = 0
    T_world_cam = rigid(np.array([[0, 0, 1.0], [-1, 0, 0], [0, -1, 0]]), [0, 0, 1.2])
    color = np.full((480, 640, 3), 128, np.uint8)
    return Frame(0.0, color, depth.astype(np.float32), K, T_world_cam)
