"""Objects from votes: cells, clustering, the network's file, and its place in the segmenter."""

import json

import numpy as np
import pytest
from oracle import SIZE, oracle

from roomcad_core.camera import rays
from roomcad_core.config import SegmentConfig
from roomcad_core.engine import sha256_of
from roomcad_core.segment import Segmenter
from roomcad_core.segment.instances import load_instance_network
from roomcad_core.segment.instances.cells import fit_cells, labels_of_pixels
from roomcad_core.segment.instances.channels import (
    CHANNELS,
    EYE_LEVEL,
    REACH,
    channels,
    picture_input,
    picture_of,
)
from roomcad_core.segment.instances.cluster import LEAST_CELLS, belonging, cluster
from roomcad_core.segment.instances.model_files import INPUT, KINDS
from roomcad_core.segment.instances.model_files import outputs as outputs_of
from roomcad_core.types import Frame

EYE = np.array([0, 0, 1.4])  # where the camera is; it looks along x and down
# A cupboard behind a pillar, which hides its middle, and a chest beside them: low, high corners.
THINGS = {
    1: [(2.6, -0.6, 0), (3.1, 0.6, 1.0)],
    2: [(1.8, -0.1, 0), (2.0, 0.1, 2.0)],
    3: [(2.0, -1.3, 0), (2.5, -0.8, 0.6)],
}
FLOOR, WALL = [(-2, -4, -0.1), (5, 4, 0)], [(4.0, -4, 0), (4.2, 4, 3)]


def render():
    """Frame of THINGS on a floor before a wall, 240 x 320, with their ids."""
    K = np.array([[280.0, 0, 159.5], [0, 280.0, 119.5], [0, 0, 1]])
    c, s = np.cos(0.42), np.sin(0.42)
    T_world_cam = np.eye(4)
    T_world_cam[:3, :3] = np.column_stack([(0, -1, 0), (-s, 0, -c), (c, 0, -s)])
    T_world_cam[:3, 3] = EYE
    view = rays((240, 320), K).reshape(-1, 3).astype(float) @ T_world_cam[:3, :3].T
    depth, ids = np.full(len(view), np.inf), np.zeros(len(view), np.uint16)
    with np.errstate(divide="ignore", invalid="ignore"):
        for i, box in [(0, FLOOR), (0, WALL), *THINGS.items()]:
            t = np.sort([(np.array(corner) - EYE) / view for corner in box], axis=0)
            enter, leave = t[0].max(axis=1), t[1].min(axis=1)
            hit = (enter > 0) & (enter <= leave) & (enter < depth)
            depth[hit], ids[hit] = enter[hit], i
    depth[np.isinf(depth)] = 0
    depth, ids = depth.reshape(240, 320).astype(np.float32), ids.reshape(240, 320)
    color = np.zeros((240, 320, 3), np.uint8)
    return Frame(0.0, color, depth, K, T_world_cam, instances=ids)


def votes_around(*centres, cells=40, noise=0.03, seed=0):
    """(n, 3) votes, `cells` of them around each centre."""
    rng = np.random.default_rng(seed)
    return np.concatenate([np.array(c) + rng.normal(0, noise, (cells, 3)) for c in centres])


def test_belonging_is_half_where_the_spread_says_so():
    votes = np.array([[0, 0, 0], [0.2 * np.sqrt(2 * np.log(2)), 0, 0], [0, 0.4, 0]])
    want = [1, 0.5, np.exp(-2)]
    assert belonging(votes, np.zeros(3), 0.2) == pytest.approx(want)


def test_votes_for_two_centres_are_two_objects_the_better_seeds_first():
    votes = votes_around((0, 0, 0), (1, 0, 0))
    seed = np.r_[np.full(40, 0.7), np.full(40, 0.9)]
    labels = cluster(votes, seed, np.full(80, 0.15))
    assert (labels == np.repeat([2, 1], 40)).all()


def test_a_seed_inside_an_object_found_makes_no_second_one():
    """Half a metre of spread holds both groups; the second group's own spread would not."""
    votes = votes_around((0, 0, 0), (0.3, 0, 0))
    seed = np.r_[np.full(40, 0.9), np.full(40, 0.8)]
    labels = cluster(votes, seed, np.r_[np.full(40, 0.5), np.full(40, 0.1)])
    assert (labels == 1).all()


def test_votes_left_over_join_the_nearest_object_unless_they_are_far_from_all():
    votes = np.concatenate([votes_around((0, 0, 0), (1, 0, 0)), [[0.3, 0, 0], [0.5, 3, 0]]])
    seed = np.r_[np.full(80, 0.9), 0.1, 0.1]
    labels = cluster(votes, seed, np.full(82, 0.15))
    assert labels[80] == labels[0] and labels[81] == 0


def test_a_small_group_beside_a_large_one_is_its_fragment_unless_it_knows_to_be_small():
    """A table of 400 cells; at 0.5 m a group of 40 cells, two of its spreads away."""
    votes = np.concatenate([votes_around((0, 0, 0), cells=400), votes_around((0.5, 0, 0))])
    seed, table = np.full(440, 0.9), np.full(400, 0.25)
    assert (cluster(votes, seed, np.r_[table, np.full(40, 0.22)]) == 1).all()
    cup = cluster(votes, seed, np.r_[table, np.full(40, 0.1)])
    assert len(set(cup[:400])) == len(set(cup[400:])) == 1 and cup[0] != cup[400]
    far = np.concatenate([votes[:400], votes[400:] + [0.3, 0, 0]])
    assert cluster(far, seed, np.r_[table, np.full(40, 0.22)]).max() == 2


def test_poor_seeds_and_few_votes_are_no_objects():
    votes = votes_around((0, 0, 0))
    assert (cluster(votes, np.full(40, 0.2), np.full(40, 0.15)) == 0).all()
    few = LEAST_CELLS - 1
    assert (cluster(votes[:few], np.ones(few), np.full(few, 0.15)) == 0).all()
    assert cluster(np.zeros((0, 3)), np.zeros(0), np.zeros(0)).shape == (0,)


def test_cells_show_the_nearest_of_their_pixels_and_nothing_outside_the_image():
    q = np.array([[1, 2, 0, 0], [3, 1, 0, 0.5]], np.float32)
    cells = fit_cells(q, (2, 2))  # a cell looks at 2 x 2 places: 2 columns, 1 row and no row
    assert cells.q.tolist() == [[2, 0], [3, 0.5]]
    assert cells.of(10 * q).tolist() == [[20, 0], [30, 5]]
    wide = fit_cells(np.ones((60, 160), np.float32), SIZE)
    assert (wide.q[30:90] == 1).all() and (wide.q[:30] == 0).all() and (wide.q[90:] == 0).all()
    assert (wide.rows[30:90, 0] == np.arange(60)).all() and (wide.cols[40] == np.arange(160)).all()


@pytest.mark.parametrize("shape", [(240, 320), (180, 270), (214, 380), (90, 120)])
def test_labels_come_back_to_the_pixels_that_show_the_same_surface(shape):
    rows, cols = np.indices(shape)
    thing = (cols > 0.3 * shape[1]) & (cols < 0.6 * shape[1]) & (rows > 0.4 * shape[0])
    q = np.where(thing, 0.5, 0.25).astype(np.float32)
    q[: shape[0] // 8] = 0
    cells = fit_cells(q, SIZE)
    labels = np.where(cells.q == 0.5, 7, 0)
    assert (labels_of_pixels(labels, cells, q) == np.where(thing, 7, 0)).all()


def test_channels_are_zero_where_nothing_is_known_and_say_whether_the_floor_is():
    q = np.array([[0.5, 0.0]], np.float32)
    points = np.array([[[2.0, -1.0, -0.4], [9.0, 9, 9]]], np.float32)
    normals = np.array([[[0.0, 0, 1], [0, 0, 0]]], np.float32)
    with_floor, without = channels(q, points, normals, -1.4), channels(q, points, normals, None)
    want = [0.5, 2 / REACH, -1 / REACH, 1.0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]
    assert with_floor[:, 0, 0] == pytest.approx(want)
    assert (with_floor[:9, 0, 1] == 0).all()
    assert without[3, 0, 0] == pytest.approx(-0.4 + EYE_LEVEL) and (without[9] == 0).all()
    color = np.array([[[255, 0, 51], [255, 255, 255]]], np.uint8)
    coloured = channels(q, points, normals, -1.4, color)
    assert coloured[10:, 0, 0] == pytest.approx([1, -1, -0.6, 1])
    assert coloured[10:, 0, 1] == pytest.approx([0, 0, 0, 1])  # nothing is known of this cell


def test_the_picture_is_fitted_like_the_cells_and_black_images_have_none():
    """An image of 4 x 8 for 4 x 4 cells: 8 x 8 pixels, the image in the middle four rows."""
    color = np.zeros((4, 8, 3), np.uint8)
    color[:, :4, 0], color[:, 4:, 1] = 200, 100
    picture = picture_of(color, (4, 4))
    assert picture.shape == (8, 8, 3) and not picture[:2].any() and not picture[6:].any()
    assert np.array_equal(picture[2:6], color)
    assert picture_input(picture, (4, 4))[0, 3, 0] == pytest.approx((200 - 127) / 128)
    assert not picture_input(None, (4, 4)).any()
    assert picture_of(np.zeros_like(color), (4, 4)) is None and picture_of(None, (4, 4)) is None


@pytest.fixture
def network():
    return oracle({i: [box] for i, box in THINGS.items()})


def test_right_votes_make_right_objects_also_of_what_is_seen_in_two_parts(network):
    frame = render()
    found = Segmenter(SegmentConfig(), instances=network)(frame)
    assert len(found.objects) == 3 and found.floor_z == pytest.approx(-EYE[2], abs=0.02)
    assert all(len(o.points) and o.label == "" for o in found.objects)
    for i in THINGS:
        true = frame.instances == i
        mine = found.instances == np.bincount(found.instances[true], minlength=4)[1:].argmax() + 1
        assert np.count_nonzero(true & mine) > 0.85 * np.count_nonzero(true | mine), i


def test_a_network_goes_on_in_the_next_segmenter_unless_the_settings_change(network, monkeypatch):
    made = []
    monkeypatch.setattr(
        "roomcad_core.segment.segmenter.make_instances", lambda config: made.append(config)
    )
    first = Segmenter(SegmentConfig(), instances=network)
    again = Segmenter(SegmentConfig(min_points=50), before=first)
    assert again._instances is network and not made
    for changed in ({"model": "other"}, {"engine": "onnxruntime"}, {"precision": "f32"}):
        Segmenter(SegmentConfig(**changed), before=first)
        assert made.pop() == SegmentConfig(**changed)


def test_a_network_that_is_not_there_is_named_before_the_first_frame(tmp_path, monkeypatch):
    monkeypatch.setenv("ROOMCAD_MODELS", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="manifest.json"):
        Segmenter(SegmentConfig())
    write_model(tmp_path)
    with pytest.raises(ValueError, match=r"manifest\.json: models: no 'instances', it has \['m'\]"):
        Segmenter(SegmentConfig())
    (tmp_path / "m.onnx").unlink()
    with pytest.raises(FileNotFoundError, match=r"m\.onnx"):
        Segmenter(SegmentConfig(model="m"))


def write_model(folder, outputs=("foreground",), entry=None):
    """A manifest with an ONNX file that copies its input to outputs of these names."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    shape = [1, len(CHANNELS), *SIZE]
    nodes = [helper.make_node("Identity", [INPUT], [name]) for name in outputs]
    tensors = [[helper.make_tensor_value_info(n, kind, shape) for n in names]
               for names in ((INPUT,), outputs)]  # fmt: skip
    graph = helper.make_graph(nodes, "copy", *tensors)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), folder / "m.onnx")
    about = {"task": "instances", "onnx": "m.onnx", "sha256": sha256_of(folder / "m.onnx"),
             "width": SIZE[1], "height": SIZE[0], "kinds": list(KINDS)} | (entry or {})  # fmt: skip
    manifest = {"version": 1, "models": {"m": about}}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_file_of_another_layout_is_refused_with_got_and_expected(tmp_path):
    pytest.importorskip("onnxruntime")
    write_model(tmp_path)
    with pytest.raises(ValueError, match=r"m\.onnx: outputs: got .*foreground.*expected .*offset"):
        load_instance_network("m", "onnxruntime", folder=tmp_path)
    write_model(tmp_path, outputs_of(KINDS), {"width": 320})
    with pytest.raises(ValueError, match=r"m\.onnx: inputs: got .*160.*expected .*320"):
        load_instance_network("m", "onnxruntime", folder=tmp_path)


@pytest.mark.parametrize(
    "entry, message",
    [
        ({"task": "depth"}, r"models\.m\.task: got 'depth', expected 'instances'"),
        ({"width": 8}, r"models\.m\.width: got 8, expected a number from 32"),
        ({"kinds": ["wall", "chair"]}, r"models\.m\.kinds: got \['wall', 'chair'\], expected some"),
        ({"sha256": "0" * 64}, "m.onnx"),
        ({"focal": 1.0}, r"models\.m: got \[.*focal"),
    ],
)
def test_a_wrong_entry_of_the_manifest_is_named(tmp_path, entry, message):
    write_model(tmp_path, entry=entry)
    with pytest.raises(ValueError, match=message):
        load_instance_network("m", "onnxruntime", folder=tmp_path)


def test_an_unknown_network_is_named(tmp_path):
    write_model(tmp_path)
    with pytest.raises(ValueError, match="no 'other', it has"):
        load_instance_network("other", folder=tmp_path)
