"""Replay and record: what a dataset holds arrives on the topics, what nodes say ends in a bag."""

import itertools
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from roomcad_msgs.msg import CadAlignment, CadAlignmentArray, ObjectArray
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from roomcad_core.bags.clouds import cloud_images
from roomcad_ros import images, replay
from roomcad_ros.replay import Publisher, play, schedule, wait_for_listeners
from roomcad_ros.world import rigid_of


def messages_of(rig, publisher, run):
    """{topic: messages} of everything that `run` makes the publisher send."""
    kinds = {
        "color/image_raw": Image,
        "depth/image_raw": Image,
        "camera_info": CameraInfo,
        "points": PointCloud2,
        "/tf": TFMessage,
        "/clock": Clock,
    }
    received = {topic: rig.collect(kind, topic) for topic, kind in kinds.items()}
    received["/tf_static"] = rig.collect(TFMessage, "/tf_static", latched=True)
    rig.spin(lambda: publisher.listeners() and publisher.count_subscribers("/tf"), rig.node)
    rig.pause(0.3)
    run()
    rig.wait(lambda: len(received["points"]) >= 3 and len(received["/tf"]) >= 3, "the frames")
    rig.pause(0.2)
    return received


def test_replayed_frames_equal_the_dataset_bit_for_bit(rig, sequence):
    publisher = Publisher(points=True, clock=True)
    received = messages_of(rig, publisher, lambda: play(publisher, sequence, speed=0))
    publisher.destroy_node()
    for i, frame in enumerate(sequence):
        color, depth = received["color/image_raw"][i], received["depth/image_raw"][i]
        info = received["camera_info"][i]
        got = images.frame_from_images(color, depth, info)
        np.testing.assert_array_equal(got.color, frame.color)
        np.testing.assert_array_equal(got.depth, frame.depth)
        np.testing.assert_array_equal(got.K, frame.K)
        assert got.frame_id == frame.frame_id
        assert got.stamp == pytest.approx(frame.stamp, abs=1e-9)
        assert color.header == depth.header == info.header
        (tf,) = received["/tf"][i].transforms
        assert (tf.header.frame_id, tf.child_frame_id) == ("map", frame.frame_id)
        np.testing.assert_allclose(rigid_of(tf.transform, ""), frame.T_world_cam, atol=1e-9)
        cloud_color, points = cloud_images(received["points"][i])
        np.testing.assert_array_equal(cloud_color, frame.color)
        np.testing.assert_allclose(points[..., 2], frame.depth, atol=1e-6)
    (body,) = received["/tf_static"][-1].transforms
    assert (body.header.frame_id, body.child_frame_id) == (frame.frame_id, "camera_link")
    assert images.seconds(received["/clock"][-1].clock) == pytest.approx(sequence.stamps[-1])


def test_the_clock_runs_with_the_replay(rig, sequence):
    publisher = Publisher(points=True, clock=True)
    took = []
    run = lambda: took.append(play(publisher, sequence, speed=2.0))  # noqa: E731
    received = messages_of(rig, publisher, run)
    publisher.destroy_node()
    times = [images.seconds(m.clock) for m in received["/clock"]]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(sequence.stamps[-1])
    (sent, seconds), span = took[0], sequence.stamps[-1] - sequence.stamps[0]
    assert sent == 3
    assert seconds >= span / 2  # never faster than asked


def test_schedule_keeps_the_recorded_pace():
    assert list(schedule([5.0, 5.5, 7.0], speed=2)) == [(0, 5.0, 0), (1, 5.5, 0.25), (2, 7.0, 1)]
    rate = [due for _, _, due in schedule([5.0, 5.5, 7.0], speed=1, rate=4)]
    assert rate == [0, 0.25, 0.5]


def test_schedule_of_a_loop_never_goes_back_in_time():
    plan = list(itertools.islice(schedule([5.0, 5.5, 6.0], speed=1, loop=True), 7))
    assert [i for i, _, _ in plan] == [0, 1, 2, 0, 1, 2, 0]
    assert [s for _, s, _ in plan] == [5, 5.5, 6, 6.5, 7, 7.5, 8]
    assert [d for _, _, d in plan] == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    one = list(itertools.islice(schedule([5.0], speed=1, loop=True), 3))
    assert one[0][1] < one[1][1] < one[2][1]


def test_a_damaged_frame_is_named_and_left_out(rig, sequence):
    (sequence.path / "depth" / "1.png").write_bytes(b"no picture")
    publisher = Publisher()
    sent, _ = play(publisher, sequence, speed=0)
    publisher.destroy_node()
    assert sent == 2


def test_waiting_for_nobody_ends_with_an_error(rig):
    publisher = Publisher()
    with pytest.raises(TimeoutError, match="0 of 2 subscribers"):
        wait_for_listeners(publisher, 2, 0.1)
    publisher.destroy_node()


def test_a_stage_that_does_not_listen_yet_is_waited_for(rig):
    publisher = Publisher()
    with pytest.raises(TimeoutError, match="none to /objects"):
        wait_for_listeners(publisher, 0, 0.1, topics=("objects",))
    rig.node.create_subscription(ObjectArray, "objects", print, 1)
    wait_for_listeners(publisher, 0, 10.0, topics=("objects",))
    publisher.destroy_node()


@pytest.mark.parametrize("arguments", [["--speed", "-1"], ["--rate", "0"]])
def test_impossible_speeds_are_refused(arguments):
    with pytest.raises(SystemExit):
        replay.parse(["folder", *arguments])


def run_module(name, domain, *arguments):
    """Start a roomcad_ros command as its own process in the test's DDS domain."""
    code = f"import sys; from roomcad_ros.{name} import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"ROS_DOMAIN_ID": str(domain)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_replay_of_nothing_names_the_path(domain, tmp_path):
    process = run_module("replay", domain, tmp_path / "nothing")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"{tmp_path / 'nothing'}: no such file or folder" in out


def alignments_of(stamp):
    message = CadAlignmentArray(alignments=[CadAlignment(label="chair", cad_id="c", score=0.5)])
    message.header.stamp.sec = stamp
    return message


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_recorded_messages_come_back_from_the_bag(rig, domain, tmp_path, end):
    rosbag2 = pytest.importorskip("rosbags.rosbag2")
    from rclpy.qos import DurabilityPolicy, QoSProfile

    from roomcad_ros.definitions import type_store

    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    alignments = rig.node.create_publisher(CadAlignmentArray, "alignments", 10)
    markers = rig.node.create_publisher(MarkerArray, "markers", latched)
    markers.publish(MarkerArray(markers=[Marker(id=4)]))  # before the recorder is there
    process = run_module("record", domain, tmp_path / "bag", "--topics", "alignments", "markers")
    rig.spin(lambda: alignments.get_subscription_count(), rig.node, why="the recorder")
    rig.pause(0.5)
    for stamp in (1, 2):
        alignments.publish(alignments_of(stamp))
    rig.pause(0.5)
    process.send_signal(end)
    out, _ = process.communicate(timeout=30)
    assert "/alignments 2, /markers 1" in out

    store = type_store("roomcad_msgs/msg/CadAlignmentArray")
    with rosbag2.Reader(tmp_path / "bag") as bag:
        read = [(c.topic, store.deserialize_cdr(data, c.msgtype)) for c, _, data in bag.messages()]
        offered = {c.topic: c.ext.offered_qos_profiles[0].durability for c in bag.connections}
    found = [m for topic, m in read if topic == "/alignments"]
    assert [m.header.stamp.sec for m in found] == [1, 2]
    assert [(a.label, a.score) for a in found[0].alignments] == [("chair", 0.5)]
    assert [m.markers[0].id for topic, m in read if topic == "/markers"] == [4]
    assert offered["/markers"].name == "TRANSIENT_LOCAL"
    assert offered["/alignments"].name == "VOLATILE"


def test_a_recorder_never_overwrites(domain, tmp_path):
    process = run_module("record", domain, tmp_path)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "exists already" in out
