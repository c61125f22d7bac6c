"""`roomcad view`: the recording is read back with Foxglove's own packages."""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from roomcad_core.bags.writer import FrameBagWriter
from roomcad_core.cli import main
from roomcad_core.pose import inverse, quaternion, rigid, rotation, transform, upright_rotation
from roomcad_core.room_file import save_room
from roomcad_core.types import Frame, Placed

MESSAGES = Path(__file__).parents[2] / "ros_ws" / "src" / "roomcad_msgs" / "msg"
K = np.array([[70.0, 0, 39.5], [0, 70, 29.5], [0, 0, 1]])
CAMERA = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.2], [0, 0, 0, 1.0]])

pytest.importorskip("mcap_protobuf", reason="pip install mcap-protobuf-support")
pytest.importorskip("foxglove_schemas_protobuf", reason="pip install foxglove-schemas-protobuf")


@pytest.fixture
def room(cad_library):
    """A chair and a table before the camera, turned and resized."""
    out = []
    for number, (label, y) in enumerate((("chair", 0.5), ("table", -0.5)), 3):
        model = cad_library.of_class(label)[0]
        T = rigid(upright_rotation(0.4 * number), [3.0, y, 0.5])
        out.append(Placed(number, label, model.id, T, 1.1 * model.size, model.symmetry, 0.75))
    return tuple(out)


@pytest.fixture
def sequence(tmp_path):
    """A bag with three frames of a wall, the camera 0.1 m further each time."""
    pytest.importorskip("rosbags")
    with FrameBagWriter(tmp_path / "sequence.mcap") as bag:
        for frame in frames():
            bag.write(frame)
    return tmp_path / "sequence.mcap"


def frames():
    depth = np.full((60, 80), 4.0, np.float32)
    depth[:, 40:] = 0
    color = np.full((60, 80, 3), (200, 30, 60), np.uint8)
    for i in range(3):
        T = CAMERA.copy()
        T[0, 3] = 0.1 * i
        yield Frame(10 + 0.5 * i, color, depth, K, T)


@pytest.fixture
def result_bag(tmp_path, room, sequence):
    """What a recorder writes: alignments of the first two frames, and the camera's transforms."""
    from rosbags.rosbag2 import Reader, StoragePlugin, Writer
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    for path in MESSAGES.glob("Cad*.msg"):
        store.register(get_types_from_msg(path.read_text(), f"roomcad_msgs/msg/{path.stem}"))
    out, kind = tmp_path / "result.mcap", "roomcad_msgs/msg/CadAlignmentArray"
    with (
        Writer(out, version=Writer.VERSION_LATEST, storage_plugin=StoragePlugin.MCAP) as bag,
        Reader(sequence) as source,
    ):
        for given in source.connections:
            if given.topic in ("/tf", "/tf_static"):
                kept = bag.add_connection(given.topic, given.msgtype, typestore=store)
                for _, stamp, data in source.messages([given]):
                    bag.write(kept, stamp, data)
        found = bag.add_connection("/alignments", kind, typestore=store)
        for frame in list(frames())[:2]:
            msg = alignments_msg(store.types, frame, room)
            bag.write(found, round(frame.stamp * 1e9), store.serialize_cdr(msg, kind))
    return out


def alignments_msg(types, frame, room):
    def new(name, *values):
        return types[name](*values)

    seconds, nanos = divmod(round(frame.stamp * 1e9), 10**9)
    stamp = new("builtin_interfaces/msg/Time", seconds, nanos)
    header = new("std_msgs/msg/Header", stamp, frame.frame_id)
    found = []
    for p in room:
        T = inverse(frame.T_world_cam) @ p.T_world_obj
        point = new("geometry_msgs/msg/Point", *T[:3, 3])
        pose = new(
            "geometry_msgs/msg/Pose",
            point,
            new("geometry_msgs/msg/Quaternion", *quaternion(T[:3, :3])),
        )
        size = new("geometry_msgs/msg/Vector3", *p.S)
        values = (1, 40 + p.id, p.label, 0.9, p.cad_id, pose, size, p.score, p.symmetry)
        found.append(new("roomcad_msgs/msg/CadAlignment", *values))
    return new("roomcad_msgs/msg/CadAlignmentArray", header, found)


def read(path):
    """{topic: [(log time, message)]} of a recording."""
    from mcap.reader import make_reader
    from mcap_protobuf.decoder import DecoderFactory

    out = defaultdict(list)
    with open(path, "rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        for schema, channel, message, decoded in reader.iter_decoded_messages():
            assert schema.name.startswith("foxglove.")
            out[channel.topic].append((message.log_time, decoded))
    return out


def pose_of(message):
    p, q = message.position, message.orientation
    return rigid(rotation([q.x, q.y, q.z, q.w]), [p.x, p.y, p.z])


def check_furniture(entities, room, library, T_frame_world, ids):
    """Each entity is the mesh of its CAD where the Placed stands, with class and σ beside it."""
    assert [e.id for e in entities] == [f"{p.label}_{i}" for p, i in zip(room, ids, strict=True)]
    for entity, p in zip(entities, room, strict=True):
        vertices, triangles, _ = library[p.cad_id].load_mesh()
        (drawn,) = entity.triangles
        T_frame_obj = pose_of(drawn.pose)
        np.testing.assert_allclose(T_frame_obj, T_frame_world @ p.T_world_obj, atol=1e-6)
        points = np.array([[q.x, q.y, q.z] for q in drawn.points])
        np.testing.assert_allclose(points, vertices * p.S, atol=1e-5)
        assert list(drawn.indices) == triangles.ravel().tolist()
        assert entity.texts[0].text == f"{p.label} σ=0.75"
        facts = {pair.key: pair.value for pair in entity.metadata}
        assert (facts["class"], facts["sigma"], facts["cad"]) == (p.label, "0.750", p.cad_id)
        assert len(entity.lines[0].points) == 24  # twelve edges
        ends = np.array([[q.x, q.y, q.z] for q in entity.lines[0].points])
        np.testing.assert_allclose(np.abs(ends), np.tile(p.S / 2, (24, 1)))


def test_a_saved_room_alone_stands_in_its_world_frame(room, cad_library, tmp_path, capsys):
    folder = save_room(room, cad_library, tmp_path / "kitchen", "odom")
    out = tmp_path / "kitchen.mcap"
    assert main(["view", str(folder), "--out", str(out)]) == 0
    assert re.search(r"/markers 1\b", capsys.readouterr().out)
    recorded = read(out)
    assert list(recorded) == ["/markers"]
    ((_, scene),) = recorded["/markers"]
    assert {e.frame_id for e in scene.entities} == {"odom"}
    check_furniture(scene.entities, room, cad_library, np.eye(4), [3, 4])


def test_a_bag_with_its_images_shows_what_was_found_when(
    room, cad_library, result_bag, sequence, tmp_path
):
    out = tmp_path / "out.mcap"
    args = ["view", str(result_bag), "--sequence", str(sequence), "--out", str(out)]
    assert main(args) == 0
    recorded = read(out)
    counts = {topic: len(messages) for topic, messages in recorded.items()}
    topics = ("/tf", "/camera_info", "/color/image_raw", "/overlay", "/cloud")
    # The third frame was not served: what stood there stays.
    assert counts == dict.fromkeys(topics, 3) | {"/markers": 2}
    stamps = [10_000_000_000, 10_500_000_000, 11_000_000_000]
    assert all([t for t, _ in m] == stamps[: len(m)] for m in recorded.values())
    for _, scene in recorded["/markers"]:
        assert [d.type for d in scene.deletions] == [1]  # all
        check_furniture(scene.entities, room, cad_library, np.eye(4), [43, 44])  # track ids
    for frame, (_, tf) in zip(frames(), recorded["/tf"], strict=True):
        assert (tf.parent_frame_id, tf.child_frame_id) == ("map", frame.frame_id)
        np.testing.assert_allclose(tf.translation.x, frame.T_world_cam[0, 3], atol=1e-9)
    check_images(recorded)


def check_images(recorded):
    camera = recorded["/camera_info"][0][1]
    np.testing.assert_allclose(np.reshape(camera.K, (3, 3)), K)
    assert (camera.width, camera.height) == (80, 60)
    plain, drawn = (
        cv2.imdecode(np.frombuffer(recorded[topic][0][1].data, np.uint8), 1)[..., ::-1]
        for topic in ("/color/image_raw", "/overlay")
    )
    assert np.abs(plain.astype(int) - (200, 30, 60)).max() <= 4
    assert (np.abs(drawn.astype(int) - plain).max(-1) > 50).sum() > 50  # outlines
    cloud = recorded["/cloud"][0][1]
    points = np.frombuffer(cloud.data, np.float32).reshape(-1, 4)
    assert len(points) == 60 * 40  # the other half has no depth
    np.testing.assert_allclose(points[:, 2], 4.0)
    assert set(points[:, 3].copy().view(np.uint32).tolist()) == {200 << 16 | 30 << 8 | 60}
    T_world_cam = next(frames()).T_world_cam
    np.testing.assert_allclose(transform(T_world_cam, points[:, :3])[:, 0], 4.0, atol=1e-5)


def test_a_bag_alone_takes_the_camera_from_its_transforms(room, cad_library, result_bag, tmp_path):
    out = tmp_path / "out.mcap"
    assert main(["view", str(result_bag), "--out", str(out), "--every", "2"]) == 0
    recorded = read(out)
    assert {topic: len(m) for topic, m in recorded.items()} == {"/markers": 1, "/tf": 1}
    check_furniture(recorded["/markers"][0][1].entities, room, cad_library, np.eye(4), [43, 44])


def test_the_folder_of_a_demo_is_enough(room, cad_library, result_bag, sequence, tmp_path):
    sequence.rename(tmp_path / "input.mcap")
    fields = ("id", "label", "cad_id", "symmetry", "score")
    objects = [
        {f: getattr(p, f) for f in fields}
        | {"T_world_obj": p.T_world_obj.tolist(), "S": p.S.tolist()}
        for p in room
    ]
    (tmp_path / "objects.json").write_text(json.dumps(objects))
    out = tmp_path / "out.mcap"
    assert main(["view", str(tmp_path), "--out", str(out)]) == 0
    recorded = read(out)
    assert len(recorded["/overlay"]) == 3
    ((_, scene),) = recorded["/room"]
    check_furniture(scene.entities, room, cad_library, np.eye(4), [3, 4])


def test_a_saved_room_is_drawn_over_the_images_of_its_sequence(
    room, cad_library, sequence, tmp_path
):
    folder = save_room(room, cad_library, tmp_path / "kitchen")
    out = tmp_path / "out.mcap"
    assert main(["view", str(folder), "--sequence", str(sequence), "--out", str(out)]) == 0
    recorded = read(out)
    assert (len(recorded["/markers"]), len(recorded["/overlay"])) == (1, 3)
    check_images(recorded)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.mkdir(), "no result here.*room.json.*objects.json"),
        (lambda path: None, "no such file"),
        (lambda path: (path.mkdir(), (path / "objects.json").write_text("{")), "not JSON"),
        (lambda path: (path.mkdir(), (path / "objects.json").write_text("[{}]")), "fields"),
        (lambda path: (path.mkdir(), (path / "objects.json").write_text("[]")), "no furniture"),
    ],
)
def test_what_is_no_result_is_said_and_leaves_no_file(tmp_path, capsys, make, says):
    make(tmp_path / "given")
    out = tmp_path / "out.mcap"
    assert main(["view", str(tmp_path / "given"), "--out", str(out)]) == 1
    assert re.search(says, capsys.readouterr().err)
    assert not out.exists()


def test_an_existing_file_and_an_unknown_cad_are_refused(room, cad_library, tmp_path, capsys):
    folder = save_room(room, cad_library, tmp_path / "kitchen")
    out = tmp_path / "out.mcap"
    out.write_text("mine")
    assert main(["view", str(folder), "--out", str(out)]) == 1
    assert "exists already" in capsys.readouterr().err and out.read_text() == "mine"
    data = json.loads((folder / "room.json").read_text())
    data["objects"][0]["cad_id"] = "throne_01"
    (folder / "room.json").write_text(json.dumps(data))
    assert main(["view", str(folder), "--out", str(tmp_path / "new.mcap")]) == 1
    assert "lacks throne_01" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kitchen", "out.mcap"]


@pytest.mark.parametrize("missing", ["foxglove_schemas_protobuf", "mcap_protobuf"])
def test_a_missing_package_is_named_with_its_command(
    room, cad_library, tmp_path, capsys, monkeypatch, missing
):
    folder = save_room(room, cad_library, tmp_path / "kitchen")
    for name in [n for n in sys.modules if n.split(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    assert main(["view", str(folder), "--out", str(tmp_path / "out.mcap")]) == 1
    assert "pip install mcap-protobuf-support foxglove" in capsys.readouterr().err
    assert not (tmp_path / "out.mcap").exists()
