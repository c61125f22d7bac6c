"""Colour alone: predicted depth and normals stand in for a sensor's, a detector finds objects."""

import dataclasses
import json
import logging
import shutil

import numpy as np
import pytest
from fake_networks import write_entry, write_finder, write_geometry, write_idle_aligner

from roomcad_core.config import (
    AlignConfig,
    ClassifyConfig,
    PipelineConfig,
    RgbConfig,
    TrackConfig,
    load,
)
from roomcad_core.config import SegmentConfig as Segment
from roomcad_core.detect import Detection
from roomcad_core.gravity import up_from_pose
from roomcad_core.library import Library, models_folder
from roomcad_core.multi_sparc.maps import make_maps
from roomcad_core.multi_sparc.normals import normals_from_depth
from roomcad_core.multi_sparc.start import initial_poses
from roomcad_core.pipeline import Pipeline
from roomcad_core.pose import inverse
from roomcad_core.rgb_geometry import RgbGeometry
from roomcad_core.rgb_geometry.normal_code import decoded_normals, encoded_normals
from roomcad_core.rgb_geometry.segmenter import UP, RgbSegmenter, up_direction
from roomcad_core.run_lengths import encode_mask
from roomcad_core.tracks.ghosts import look
from roomcad_core.types import Frame

SHIPPED = models_folder()
FEW = Segment(min_points=16, work_width=80)


@pytest.fixture(scope="module")
def library():
    """A small one: the classifier looks at every model."""
    full = Library.load()
    return Library([*full.of_class("chair")[:3], *full.of_class("sofa")[:3]])


@pytest.fixture
def models(tmp_path, monkeypatch):
    """An empty models folder."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    monkeypatch.setenv("ROOMCAD_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@dataclasses.dataclass
class Room:
    """A chair before a wall: what a colour camera gives, and the truth."""

    frame: Frame  # without depth
    depth: np.ndarray
    normals: np.ndarray
    mask: np.ndarray
    thing: object

    @property
    def box(self):
        rows, columns = np.nonzero(self.mask)
        return np.float32([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


@pytest.fixture
def room(track_world, library):
    track_world.library = library
    thing = track_world.put("chair", 2.6, 0.3, yaw=0.6)
    true, _ = track_world.frame(0.0)
    normals = normals_from_depth(true.depth, true.K)
    shade = 0.5 - 0.4 * normals[..., 1:2] - 0.2 * normals[..., 2:]
    color = np.repeat(np.uint8(255 * shade.clip(0, 1)), 3, 2)
    blind = dataclasses.replace(
        true, depth=np.zeros_like(true.depth), color=color, instances=None, name="scene0000_00/1"
    )
    return Room(blind, true.depth, normals, true.instances == 1, thing)


@pytest.fixture
def config(tmp_path, room):
    """config(**align): PipelineConfig of input rgb; its detector finds the chair, as a mask."""
    found = {"bbox": room.box.tolist(), "score": 0.75, "category": "chair"}
    found |= {"segmentation": encode_mask(room.mask), "scene_cad_id": room.thing.model.id}
    path = tmp_path / "per_frame_preds.json"
    path.write_text(json.dumps({"scene0000_00/color/1.jpg": [found]}))

    def make(**align):
        return PipelineConfig(
            input="rgb",
            segment=dataclasses.replace(FEW, detector=str(path)),
            classify=ClassifyConfig(model="box_size"),
            align=AlignConfig(n_tried=1, **align),
            tracks=TrackConfig(enabled=False),
        )

    return make


def answer_truth(models, room, **unsure):
    """Put networks into the models folder that know the room."""
    write_geometry(models, room.depth, room.normals, room.frame.K[0, 0] / 160, **unsure)


def true_pose(room):
    return inverse(room.frame.T_world_cam) @ room.thing.T_world_obj


@pytest.mark.skipif(not (SHIPPED / "manifest.json").is_file(), reason="no trained networks")
def test_with_true_geometry_the_shipped_network_finds_the_pose(models, room, config, library):
    answer_truth(models, room)
    live = json.loads((SHIPPED / "manifest.json").read_text())["models"]["live"]
    shutil.copy(SHIPPED / live["updates"]["3"]["onnx"], models)
    write_entry(models, "live", live)
    pipeline, T = None, true_pose(room)
    for start in ("3m", "depth"):
        pipeline = Pipeline(config(rgb_start=start), library, before=pipeline)
        (found,), segmentation = pipeline(room.frame)
        angle = np.degrees(np.arccos((np.trace(T[:3, :3].T @ found.T_cam_obj[:3, :3]) - 1) / 2))
        assert np.linalg.norm(found.T_cam_obj[:3, 3] - T[:3, 3]) < 0.15 and angle < 15
        assert (found.label, found.cad_id) == ("chair", room.thing.model.id)
    np.testing.assert_array_equal(segmentation.instances == 1, room.mask)
    assert set(pipeline.seconds) == {"geometry", "segment", "classify", "align"}


def test_objects_start_3_m_away_on_their_bearing_and_sigma_alone_is_the_score(
    models, room, config, library
):
    answer_truth(models, room)
    weights = {"sigma": 0.1, "fit": 5.0, "agreement": 0.0, "bias": 3.0}
    polished = dict.fromkeys(("choice", "several", "alone"), weights)
    write_idle_aligner(models, mode="rgb", polished=polished)
    (found,), segmentation = Pipeline(config(), library)(room.frame)
    x, y = (room.box[:2] + room.box[2:]) / 2 - 0.5 - room.frame.K[:2, 2]
    np.testing.assert_allclose(
        found.T_cam_obj[:3, 3], 3 * np.array([x / 140, y / 140, 1]), rtol=1e-4
    )
    assert found.score == pytest.approx(1 / (1 + np.exp(-3 / 1.5)), rel=1e-5)
    np.testing.assert_allclose(found.S, room.thing.model.size, rtol=1e-5)
    assert len(segmentation.objects[0].points) > 50  # crops are made of the predicted depth
    (found,), _ = Pipeline(config(rgb_start="depth"), library)(room.frame)
    assert found.T_cam_obj[2, 3] == pytest.approx(true_pose(room)[2, 3], abs=0.2)


def test_the_sensors_depth_is_not_looked_at(models, room, config, library):
    answer_truth(models, room)
    write_idle_aligner(models, mode="rgb")
    pipeline = Pipeline(config(rgb_start="depth"), library)
    wrong = dataclasses.replace(room.frame, depth=room.depth + 1)
    for frame in (room.frame, wrong):
        (found,), _ = pipeline(frame)
        assert found.T_cam_obj[2, 3] == pytest.approx(true_pose(room)[2, 3], abs=0.2)
        assert not pipeline.frame.measured
        np.testing.assert_allclose(pipeline.frame.depth, room.depth, rtol=1e-5)


@pytest.mark.parametrize(("mode", "input"), [("rgbd", "rgb"), ("rgb", "rgbd")])
def test_a_network_of_another_mode_is_warned_of_by_name(
    models, room, config, library, caplog, mode, input
):
    answer_truth(models, room)
    write_idle_aligner(models, mode=mode)
    write_idle_aligner(models, "good", mode=input)
    write_finder(models, np.zeros((60, 80)))
    changed = dataclasses.replace(config(), input=input)
    with caplog.at_level(logging.WARNING):
        pipeline = Pipeline(changed, library)
    assert f"'live' was trained for input {mode} and gets {input}" in pipeline.model_mode
    assert "model_mode" in caplog.text
    align = dataclasses.replace(changed.align, model="good")
    pipeline = Pipeline(dataclasses.replace(changed, align=align), library, before=pipeline)
    assert pipeline.model_mode == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("input: rgb", r"segment.detector: got ''.*roomcad models fetch yolox_s"),
        ("input: rgb\nsegment: {detector: x}\nalign: {aligner: icp}", "align.aligner: got 'icp'"),
        ("input: cloud", "input: got 'cloud', expected one of rgbd, rgb"),
    ],
)
def test_settings_that_cannot_do_without_depth_are_refused(tmp_path, text, why):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ValueError, match=why):
        load(tmp_path / "c.yaml")
    with pytest.raises(ValueError, match=r"segment\.detector"):
        RgbSegmenter(Segment())


def test_missing_networks_are_an_error_that_says_how_they_are_made(models, room, config, library):
    with pytest.raises(FileNotFoundError, match=r"rgb\.depth: no network 'depth'.*train-depth"):
        Pipeline(config(), library)
    answer_truth(models, room)
    for name, task in (("no", "depth"), ("no", "normals")):
        with pytest.raises(FileNotFoundError, match=rf"rgb\.{task}: no network 'no'.*rgb ship RUN"):
            RgbGeometry(RgbConfig(**{task: name}))
    with pytest.raises(ValueError, match="task: got 'normals', expected 'depth'"):
        RgbGeometry(RgbConfig(depth="normals"))


def test_what_the_networks_are_unsure_of_counts_as_missing(models, room):
    sigma = np.full((120, 160), 0.05)
    sigma[:, :40] = 10.0
    kappa = np.full((120, 160), 20.0)
    kappa[:60] = 0.1
    answer_truth(models, room, sigma=sigma, kappa=kappa)
    frame = RgbGeometry(RgbConfig())(room.frame)
    assert not frame.depth[:, :39].any() and frame.depth[:, 42:].all()
    assert not frame.normals[:59].any() and frame.normals[62:-2, 42:-2].any(-1).mean() > 0.9
    assert not frame.measured and frame.depth.dtype == frame.normals.dtype == np.float32


def test_networks_serve_again_where_the_settings_name_the_same(models, room):
    answer_truth(models, room)
    first = RgbGeometry(RgbConfig())
    second = RgbGeometry(RgbConfig(max_depth_sigma=0.2), before=first)
    assert second._networks == first._networks
    third = RgbGeometry(RgbConfig(engine="onnxruntime"), before=first)
    assert third._networks["depth"] is not first._networks["depth"]


def detection(box, label="chair", mask=None, score=0.9):
    return Detection(np.float32(box), label, score, mask)


def segmented(room, *found, **pose):
    frame = dataclasses.replace(
        room.frame, depth=room.depth, normals=room.normals, measured=False, **pose
    )
    return RgbSegmenter(FEW, lambda frame: found)(frame)


def test_pixels_go_to_the_best_detection_and_small_ones_are_left_out(room):
    left = np.zeros(room.mask.shape, bool)
    left[20:80, 10:60] = True
    right = np.roll(left, 30, 1)
    tiny = np.zeros_like(left)
    tiny[:2, :2] = True
    got = segmented(
        room, detection([10, 20, 60, 80], mask=left), detection([0, 0, 2, 2], mask=tiny),
        detection([40, 20, 90, 80], "sofa", right),
    )  # fmt: skip
    np.testing.assert_array_equal(got.instances, left + 2 * (right & ~left))
    assert [(o.id, o.label, o.score) for o in got.objects] == [(1, "chair", 0.9), (2, "sofa", 0.9)]


def test_a_box_takes_what_is_as_far_as_its_middle(room):
    got = segmented(room, detection(room.box))
    found = got.instances == 1
    assert (found & room.mask).sum() / (found | room.mask).sum() > 0.9
    np.testing.assert_allclose(got.objects[0].box, room.box, atol=1)


def test_no_detections_are_no_objects(room):
    got = segmented(room)
    assert got.objects == () and not got.instances.any()


def test_up_is_that_of_the_pose_then_of_the_normals_then_of_a_camera_that_looks_down(room):
    np.testing.assert_allclose(up_direction(room.frame), up_from_pose(room.frame.T_world_cam))
    tilted = np.array([0.0, -np.cos(0.2), -np.sin(0.2)])
    normals = np.tile(np.float32(tilted), (120, 160, 1))
    normals[:, 80:] = np.cross(tilted, [1.0, 0, 0])
    blind = dataclasses.replace(room.frame, T_world_cam=None, normals=normals, measured=False)
    np.testing.assert_allclose(up_direction(blind), tilted, atol=0.01)
    unknown = dataclasses.replace(blind, normals=np.zeros_like(normals))
    np.testing.assert_allclose(up_direction(unknown), UP, atol=1e-9)
    assert np.degrees(np.arcsin(-UP[2])) == pytest.approx(30)


def test_maps_take_a_frames_own_normals():
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(240, 320, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    K = np.array([[280.0, 0, 159.5], [0, 280, 119.5], [0, 0, 1]])
    color, depth = np.zeros((240, 320, 3), np.uint8), np.full((240, 320), 2, np.float32)
    frame = Frame(0.0, color, depth, K, normals=normals, measured=False)
    got = make_maps(frame, np.zeros((240, 320), np.uint16), (60, 80)).normal.transpose(1, 2, 0)
    blocks = normals.reshape(60, 4, 80, 4, 3).transpose(0, 2, 1, 3, 4).reshape(60, 80, 16, 3)
    assert (np.abs(blocks - got[:, :, None]).max(-1).min(-1) == 0).all()
    with pytest.raises(ValueError, match="normals"):
        dataclasses.replace(frame, normals=normals[:2])


def test_a_fixed_distance_is_that_of_the_centre_whatever_the_depth():
    K = np.array([[140.0, 0, 79.5], [0, 140, 59.5], [0, 0, 1]])
    box, size = np.array([[99.5, 39.5, 139.5, 79.5]]), np.array([[0.6, 0.9, 0.6]])
    for z in (0.0, 1.0):
        depth, instance = np.full((120, 160), z, np.float32), np.ones((120, 160), np.int32)
        T, R, S = initial_poses(depth, instance, K, box, size, [0.0, -1, 0], 4, distance=3.0)
        np.testing.assert_allclose(T, np.tile([3 * 40 / 140, 0, 3], (4, 1, 1)), atol=1e-9)
        np.testing.assert_allclose(R[:, 0, :, 1], np.tile([0, -1, 0], (4, 1)), atol=1e-9)


def test_normals_survive_their_picture():
    rng = np.random.default_rng(1)
    normals = rng.normal(size=(40, 50, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    normals[:5] = 0
    got = decoded_normals(encoded_normals(normals))
    assert not got[:5].any()
    cosine = np.einsum("...i,...i", got, normals)[5:]
    assert np.degrees(np.arccos(cosine.min().clip(-1, 1))) < 0.4


def test_predicted_depth_must_be_far_off_to_look_through_an_object(room):
    model, T = room.thing.model, true_pose(room)
    seen = {}
    for measured in (True, False):
        frame = dataclasses.replace(room.frame, depth=room.depth * 1.15, measured=measured)
        seen[measured] = look(model, T, room.thing.S, frame)
    assert seen[True].through > 0.3 and seen[False].through < 0.1
