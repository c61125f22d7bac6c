"""The parts under the nodes: worker, health, transport, message definitions, conversions."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from std_msgs.msg import Header

from roomcad_core.gravity import gravity_frame
from roomcad_core.types import Object, Segmentation
from roomcad_ros import images
from roomcad_ros.convert import objects_msg, segmentation_of
from roomcad_ros.definitions import type_store
from roomcad_ros.health import BadFrame, Health
from roomcad_ros.settings import NodeConfig
from roomcad_ros.transport import PROFILE, carry_images
from roomcad_ros.worker import Worker


def test_a_busy_worker_keeps_only_the_newest_item():
    started, go, done = threading.Event(), threading.Event(), []

    def work(item):
        started.set()
        assert go.wait(10)
        done.append(item)

    worker = Worker(work)
    assert worker.put(1) is False
    assert started.wait(10)
    assert [worker.put(i) for i in (2, 3, 4)] == [False, True, True]
    go.set()
    while len(done) < 2:
        time.sleep(0.01)
    worker.stop()
    assert done == [1, 4]


def test_a_stopped_worker_drops_what_waits():
    started, go, done = threading.Event(), threading.Event(), []
    worker = Worker(lambda item: (started.set(), go.wait(10), done.append(item)))
    worker.put(1)
    assert started.wait(10)
    worker.put(2)
    threading.Timer(0.1, go.set).start()
    worker.stop()
    assert done == [1]


@pytest.fixture
def health(spin):
    import rclpy

    node = rclpy.create_node("somebody")
    said = []
    node.get_logger = lambda: SimpleNamespace(warning=said.append)
    yield Health(node, SimpleNamespace(config=NodeConfig())), said
    node.destroy_node()


def test_equal_warnings_are_throttled_and_all_are_counted(health):
    health, said = health
    for _ in range(5):
        health.drop("bad_tf", "one")
        health.warn("no_tf", "two")
    assert said == ["frame dropped (bad_tf): one", "no_tf: two"]
    assert health.values()["dropped: bad_tf"] == "5"
    assert health.values()["warned: no_tf"] == "5"


def test_passes_are_counted_apart_for_objects_that_are_followed(health):
    health, _ = health
    for _ in range(2):
        health.aligned({1: 2, 2: 2, 7: 32}, {1: 11, 2: 12, 3: 13})  # 3 rests
    values = health.values()
    assert (values["objects: tracked"], values["network passes: tracked"]) == ("6", "8")
    assert (values["objects: other"], values["network passes: other"]) == ("2", "64")


def test_latencies_are_percentiles_in_milliseconds(health):
    health, _ = health
    for ms in range(1, 101):
        health.took("align", ms / 1000)
    values = health.values()
    assert (values["align p50 [ms]"], values["align p95 [ms]"]) == ("50.5", "95.0")


def test_a_block_that_raises_is_not_timed(health):
    health, _ = health
    with pytest.raises(BadFrame), health.timed("align"):
        raise BadFrame("no_luck", "none")
    assert not [key for key in health.values() if "align" in key]


@pytest.mark.parametrize(
    ("environment", "chosen"),
    [
        ({}, True),
        ({"RMW_IMPLEMENTATION": "rmw_fastrtps_cpp"}, True),
        ({"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}, False),
        ({"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"}, False),
        ({"FASTDDS_DEFAULT_PROFILES_FILE": "/mine.xml"}, False),
    ],
)
def test_large_segments_unless_the_user_chose_otherwise(environment, chosen):
    carry_images(environment)
    assert (PROFILE in environment) == chosen


def test_the_definition_of_a_message_of_ours_comes_with_all_it_holds():
    pytest.importorskip("rosbags")
    text = type_store("roomcad_msgs/msg/ObjectArray").generate_msgdef(
        "roomcad_msgs/msg/ObjectArray", ros_version=2
    )[0]
    for part in ("Object[] objects", "MSG: roomcad_msgs/Object", "MSG: sensor_msgs/Image"):
        assert part in text.replace("/msg/", "/")
    with pytest.raises(FileNotFoundError, match="Nothing"):
        type_store("roomcad_msgs/msg/Nothing")


def test_a_segmentation_survives_the_message():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(5, 3)).astype(np.float32)
    box = np.array([1, 2, 30.5, 40], np.float32)
    obj = Object(3, box, points, "desk", 0.5, {"desk": 0.5, "other": 0.5}, ("a", "b"))
    unnamed = Object(4, box, points, class_scores={"desk": 0.75, "other": 0.25})  # by surroundings
    instances = rng.integers(0, 60000, (6, 7)).astype(np.uint16)
    sent = Segmentation(instances, (obj, unnamed), gravity_frame([0.1, -1, 0.2]), -1.25)
    got = segmentation_of(objects_msg(sent, _header()))
    np.testing.assert_array_equal(got.instances, instances)
    np.testing.assert_allclose(got.T_grav_cam, sent.T_grav_cam, atol=1e-12)
    assert got.floor_z == -1.25
    back, other = got.objects
    assert (other.label, other.score, other.class_scores) == ("", 0.0, unnamed.class_scores)
    np.testing.assert_array_equal(back.points, points)
    np.testing.assert_array_equal(back.box, box)
    assert (back.id, back.label, back.score) == (3, "desk", 0.5)
    assert (back.class_scores, back.cad_ids) == (obj.class_scores, obj.cad_ids)


def _header():
    from std_msgs.msg import Header

    return Header(frame_id="cam")


def test_the_parameter_file_names_only_parameters_that_exist(request):
    from roomcad_ros.params import refuse_unknown

    text = (request.config.rootpath / "launch" / "params.yaml").read_text()
    (everything,) = yaml.safe_load(text).values()
    refuse_unknown(everything["ros__parameters"])
    examples = [line.split("# ")[1] for line in text.splitlines() if line.startswith("    # ")]
    refuse_unknown(yaml.safe_load("\n".join(examples)))


def test_lens_distortion_is_taken_out_of_both_images():
    K = np.array([[100.0, 0, 80], [0, 100, 60], [0, 0, 1]])
    barrel = -0.3
    ray = np.array([0.5, 0.3])
    u, v = K[:2, :2] @ (ray * (1 + barrel * ray @ ray)) + K[:2, 2]  # where the lens puts it
    color, depth = np.zeros((120, 160, 3), np.uint8), np.ones((120, 160), np.float32)
    spot = np.s_[round(v) - 2 : round(v) + 3, round(u) - 2 : round(u) + 3]
    color[spot], depth[spot] = 255, 3.0
    info = images.info_msg(K, depth.shape, Header(frame_id="camera"))
    info.d = [barrel, 0.0, 0.0, 0.0, 0.0]
    header = Header(frame_id="camera")
    messages = images.image_msg(color, "rgb8", header), images.depth_msg(depth, header)
    frame = images.frame_from_images(*messages, info)
    u, v = np.rint(K[:2, :2] @ ray + K[:2, 2]).astype(int)  # where a pinhole puts it
    assert frame.depth[v, u] == pytest.approx(3.0)
    assert frame.color[v, u].min() > 200


def test_an_unknown_lens_model_is_a_bad_frame():
    info = images.info_msg(np.eye(3) * 50, (12, 16), Header(frame_id="camera"))
    info.d, info.distortion_model = [0.1], "kaleidoscope"
    color = images.image_msg(np.zeros((12, 16, 3), np.uint8), "rgb8", Header())
    depth = images.depth_msg(np.ones((12, 16), np.float32), Header())
    with pytest.raises(BadFrame, match="kaleidoscope"):
        images.frame_from_images(color, depth, info)
