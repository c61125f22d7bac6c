"""Bad messages: the frame is skipped, counted and named, and the next good frame is served."""

import dataclasses

import numpy as np
import pytest
from rclpy.parameter import Parameter
from roomcad_msgs.msg import ObjectArray
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from roomcad_core.gravity import gravity_frame
from roomcad_core.types import Segmentation
from roomcad_ros import images
from roomcad_ros.classify_node import ClassifyNode
from roomcad_ros.health import BadFrame
from roomcad_ros.segment_node import SegmentNode


def segment_nothing(frame):
    return Segmentation(frame.depth.astype(np.uint16), (), gravity_frame([0, -1, 0]), None)


def changed(message, **fields):
    """`message` with other fields."""
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def small(frame):
    return dataclasses.replace(
        frame, color=frame.color[::2, ::2], depth=frame.depth[::2, ::2], instances=None
    )


def depth_of(frame, **fields):
    return {"depth": changed(images.depth_msg(frame.depth, stamped(frame)), **fields)}


def color_of(frame, **fields):
    return {"color": changed(images.image_msg(frame.color, "rgb8", stamped(frame)), **fields)}


def info_of(frame, **fields):
    info = images.info_msg(frame.K, frame.depth.shape, stamped(frame))
    return {"info": changed(info, **fields)}


def stamped(frame):
    out = Header(frame_id=frame.frame_id)
    out.stamp.sec = 101
    return out


BAD = {
    "wrong colour encoding": ("wrong_encoding", lambda f: color_of(f, encoding="16UC3")),
    "made-up colour encoding": ("wrong_encoding", lambda f: color_of(f, encoding="häßlich")),
    "colour in place of depth": ("wrong_encoding", lambda f: depth_of(f, encoding="rgb8")),
    "no depth encoding": ("wrong_encoding", lambda f: depth_of(f, encoding="")),
    "cut colour": ("short_data", lambda f: color_of(f, data=b"12")),
    "cut depth": ("short_data", lambda f: depth_of(f, data=b"")),
    "short rows": ("bad_size", lambda f: depth_of(f, step=3)),
    "long rows": ("short_data", lambda f: depth_of(f, step=4000)),
    "no size": ("bad_size", lambda f: no_size(f)),
    "small depth": ("sizes_differ", lambda f: depth_of(small(f))),
    "small camera_info": ("sizes_differ", lambda f: info_of(f, width=80, height=60)),
    "NaN K": ("bad_intrinsics", lambda f: info_of(f, k=[np.nan] * 9)),
    "zero K": ("bad_intrinsics", lambda f: info_of(f, k=[0.0] * 9)),
    "negative K": ("bad_intrinsics", lambda f: info_of(f, k=[-9.0, 0, 0, 0, 9, 0, 0, 0, 1])),
    "no frame_id": ("no_frame_id", lambda f: depth_of(f, header=Header(stamp=stamped(f).stamp))),
}


def no_size(frame):
    nothing = {"width": 0, "height": 0, "step": 0, "data": b""}
    return (
        color_of(frame, **nothing) | depth_of(frame, **nothing) | info_of(frame, width=0, height=0)
    )


@pytest.mark.parametrize(("reason", "make"), BAD.values(), ids=BAD.keys())
def test_a_bad_image_is_counted_and_the_next_frame_served(rig, frame, reason, make):
    node = SegmentNode(segment_nothing).start()
    objects = rig.collect(ObjectArray, "objects")
    rig.connect(node)
    rig.send(frame, 101, **make(frame))
    rig.wait(lambda: node.health.dropped, "the drop")
    assert not objects
    rig.send_until(frame, objects, 102)
    assert next(iter(node.health.dropped)) == reason


def only_nan(cloud):
    return np.full(len(cloud.data) // 4, np.nan, np.float32).tobytes()


def unknown_datatype(cloud):
    return [changed(field, datatype=99) for field in cloud.fields]


CLOUDS = {
    "empty": ("empty_cloud", lambda cloud: PointCloud2(header=cloud.header)),
    "only NaN": (
        "bad_cloud",
        lambda c: changed(c, data=np.full(c.row_step * c.height // 4, np.nan, "f4").tobytes()),
    ),
    "cut": ("bad_cloud", lambda c: changed(c, data=b"1234")),
    "no z": ("bad_cloud", lambda c: changed(c, fields=c.fields[:2])),
    "unknown datatype": (
        "bad_cloud",
        lambda c: changed(c, fields=[changed(f, datatype=99) for f in c.fields]),
    ),
    "no size of a point": ("bad_cloud", lambda c: changed(c, point_step=0)),
}


@pytest.mark.parametrize(("reason", "make"), CLOUDS.values(), ids=CLOUDS.keys())
def test_a_bad_cloud_is_counted_and_the_next_one_served(rig, frame, reason, make):
    overrides = [Parameter("input", value="cloud")]
    node = SegmentNode(segment_nothing, parameter_overrides=overrides).start()
    objects = rig.collect(ObjectArray, "objects")
    rig.connect(node, inputs=("points",))
    rig.points.publish(make(images.cloud_msg(frame, stamped(frame))))
    rig.wait(lambda: node.health.dropped, "the drop")
    assert dict(node.health.dropped) == {reason: 1}
    rig.points.publish(images.cloud_msg(frame, stamped(frame)))
    rig.wait(lambda: objects, "the good cloud")


def test_an_organised_cloud_of_another_size_than_camera_info_is_refused(frame):
    cloud = images.cloud_msg(frame, stamped(frame))
    with pytest.raises(BadFrame, match="points 160x120, camera_info 80x60"):
        images.frame_from_cloud(cloud, info_of(frame, width=80, height=60)["info"])


def test_an_unorganised_cloud_is_served(rig, frame):
    seen = []
    overrides = [Parameter("input", value="cloud")]
    node = SegmentNode(
        lambda f: seen.append(f) or segment_nothing(f), parameter_overrides=overrides
    ).start()
    rig.connect(node, inputs=("points", "info"))
    rig.info.publish(info_of(frame)["info"])
    rig.pause(0.2)
    cloud = images.cloud_msg(frame, stamped(frame))
    n = cloud.width * cloud.height
    rig.points.publish(changed(cloud, height=1, width=n, row_step=16 * n))
    rig.wait(lambda: seen, "a frame")
    both = (seen[0].depth > 0) & (frame.depth > 0)
    assert both.sum() > 0.95 * (frame.depth > 0).sum()
    assert np.abs(seen[0].depth - frame.depth)[both].max() < 1e-3


def test_a_stage_that_fails_on_one_frame_serves_the_next(rig, frame):
    def fails_first(f):
        if f.stamp == 101:
            raise RuntimeError("no luck")
        return segment_nothing(f)

    node = SegmentNode(fails_first).start()
    objects = rig.collect(ObjectArray, "objects")
    rig.connect(node)
    rig.send(frame, 101)
    rig.wait(lambda: node.health.dropped["failed"], "the drop")
    rig.send(frame, 102)
    rig.wait(lambda: objects, "the good frame")


def test_a_nan_transform_never_reaches_the_result(rig, frame):
    seen = []
    node = SegmentNode(lambda f: seen.append(f) or segment_nothing(f)).start()
    rig.connect(node, inputs=("color", "depth", "info", "tf"))
    rig.send_pose(frame, 101, np.full((4, 4), np.nan))
    rig.pause(0.2)
    rig.send(frame, 101)
    # tf2 itself may refuse the transform; then the frame goes on without a pose, and says so.
    rig.wait(lambda: node.health.dropped["bad_tf"] or node.health.warnings["no_tf"], "a reason")
    rig.send_pose(frame, 102)
    rig.pause(0.2)
    rig.send(frame, 102)
    rig.wait(lambda: seen and seen[-1].stamp == 102, "the good frame")
    assert all(f.T_world_cam is None for f in seen[:-1])
    np.testing.assert_allclose(seen[-1].T_world_cam, frame.T_world_cam, atol=1e-9)


def test_different_frame_ids_are_named_but_served(rig, frame):
    node = SegmentNode(segment_nothing).start()
    objects = rig.collect(ObjectArray, "objects")
    rig.connect(node)
    other = stamped(frame)
    other.frame_id = "another_camera"
    rig.send(frame, 101, **color_of(frame, header=other))
    rig.wait(lambda: objects, "objects")
    assert node.health.warnings["frame_ids_differ"] == 1


def test_old_frames_are_dropped_and_counted(rig, frame):
    node = SegmentNode(segment_nothing).start()
    rig.connect(node)
    now = node.get_clock().now().nanoseconds * 1e-9
    rig.send(frame, now - 10)
    rig.wait(lambda: node.health.dropped["too_old"], "the drop")
    assert node.health.warnings["foreign_clock"] == 0


def test_stamps_of_another_clock_are_named_but_served(rig, frame):
    node = SegmentNode(segment_nothing).start()
    objects = rig.collect(ObjectArray, "objects")
    rig.connect(node)
    rig.send(frame, 100)  # 1970
    rig.wait(lambda: objects, "objects")
    assert node.health.warnings["foreign_clock"] == 1


def warnings_of(node, monkeypatch):
    """The texts of all warnings the node gives from now on."""
    said = []
    say = node.health._say
    monkeypatch.setattr(
        node.health, "_say", lambda reason, text: said.append(text) or say(reason, text)
    )
    return said


def test_a_silent_topic_is_named(rig, frame, monkeypatch):
    node = SegmentNode(segment_nothing, parameter_overrides=[Parameter("silence", value=0.3)])
    said = warnings_of(node.start(), monkeypatch)
    rig.connect(node)
    while not said:
        rig.send(frame, depth=None)
        rig.pause(0.1)
    assert said[0] == "no_input: nothing for 0.3 s on /depth/image_raw"


def test_stamps_that_never_meet_are_named(rig, frame, monkeypatch):
    node = SegmentNode(segment_nothing, parameter_overrides=[Parameter("silence", value=0.3)])
    said = warnings_of(node.start(), monkeypatch)
    rig.connect(node)
    stamp = 100
    while not any("differ by more than" in text for text in said):
        rig.send(frame, stamp, depth=None)
        rig.send(frame, stamp + 0.5, color=None)
        rig.pause(0.1)
        stamp += 2
        assert stamp < 300


def test_a_missing_camera_info_is_named(rig, frame, monkeypatch):
    node = SegmentNode(segment_nothing).start()
    said = warnings_of(node, monkeypatch)
    rig.connect(node)
    for stamp in (101, 102):
        rig.send(frame, stamp, info=None)
    rig.wait(lambda: node.health.dropped["no_camera_info"], "the drop")
    assert said[0] == "frame dropped (no_camera_info): nothing on /camera_info yet"


OBJECTS = {
    "no instances": ("wrong_encoding", lambda m: changed(m, instances=Image())),
    "no rotation": ("bad_objects", lambda m: changed(m, q_grav_cam=type(m.q_grav_cam)(w=0.0))),
    "cut instances": ("short_data", lambda m: changed(m, instances=changed(m.instances, data=b""))),
}


@pytest.mark.parametrize(("reason", "make"), OBJECTS.values(), ids=OBJECTS.keys())
def test_a_bad_object_array_is_counted_and_the_next_one_served(rig, frame, reason, make):
    from roomcad_ros.convert import objects_msg

    node = ClassifyNode(lambda segmentation: segmentation).start()
    named = rig.collect(ObjectArray, "classified")
    objects = rig.node.create_publisher(ObjectArray, "objects", 10)
    rig.connect(node, inputs=())
    rig.wait(objects.get_subscription_count)
    objects.publish(make(objects_msg(segment_nothing(frame), stamped(frame))))
    rig.wait(lambda: node.health.dropped, "the drop")
    assert dict(node.health.dropped) == {reason: 1}
    objects.publish(objects_msg(segment_nothing(frame), stamped(frame)))
    rig.wait(lambda: named, "the good objects")


def test_random_bytes_never_stop_a_node(rig, frame):
    rng = np.random.default_rng(0)
    node = SegmentNode(segment_nothing).start()
    objects = rig.collect(ObjectArray, "objects")
    rig.connect(node)
    for stamp in range(101, 131):
        fields = {
            "data": rng.bytes(int(rng.integers(0, 500))),
            "step": int(rng.integers(0, 99)),
            "width": int(rng.integers(0, 200)),
            "encoding": str(rng.choice(["16UC1", "32FC1", "", "mono16", "bgr8"])),
        }
        info = CameraInfo(header=stamped(frame), k=rng.normal(size=9), width=fields["width"])
        rig.send(frame, stamp, info=info, **depth_of(frame, **fields))
    rig.send_until(frame, objects, 200)
