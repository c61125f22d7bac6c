"""tf2_ros as the nodes use it: lookups along the frame tree, and their errors.

Where the official package is installed these tests run on it.
"""

import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped
from rclpy.duration import Duration
from rclpy.time import Time
from tf2_ros import (
    Buffer,
    ConnectivityException,
    ExtrapolationException,
    LookupException,
    TransformException,
)


def transform(parent, child, stamp, t=(0, 0, 0), yaw=0.0):
    msg = TransformStamped(child_frame_id=child)
    msg.header.frame_id, msg.header.stamp = parent, at(stamp).to_msg()
    to, turn = msg.transform.translation, msg.transform.rotation
    to.x, to.y, to.z = map(float, t)
    turn.z, turn.w = float(np.sin(yaw / 2)), float(np.cos(yaw / 2))
    return msg


def seconds(msg):
    return Time.from_msg(msg.header.stamp).nanoseconds * 1e-9


def position(msg):
    return [getattr(msg.transform.translation, axis) for axis in "xyz"]


def yaw(msg):
    return 2 * np.arctan2(msg.transform.rotation.z, msg.transform.rotation.w)


@pytest.fixture
def tree():
    """map <- base moves from x = 0 to x = 2, turning by 90 deg, in 2 s; base <- camera is fixed."""
    buffer = Buffer()
    buffer.set_transform(transform("map", "base", 10), "test")
    buffer.set_transform(transform("map", "base", 12, (2, 0, 0), np.pi / 2), "test")
    buffer.set_transform_static(transform("base", "camera", 0, (1, 0, 0.5)), "test")
    buffer.set_transform_static(transform("map", "door", 0, (0, 3, 0), np.pi), "test")
    return buffer


def at(stamp):
    return Time(nanoseconds=round(stamp * 1e9))


def test_a_chain_of_frames_is_followed_at_the_time_asked(tree):
    found = tree.lookup_transform("map", "camera", at(12))
    assert (found.header.frame_id, found.child_frame_id) == ("map", "camera")
    assert seconds(found) == 12
    assert position(found) == pytest.approx([2, 1, 0.5])  # base is turned to +y
    assert yaw(found) == pytest.approx(np.pi / 2)


def test_half_way_in_time_is_half_way_in_place_and_angle(tree):
    found = tree.lookup_transform("map", "base", at(11))
    assert position(found) == pytest.approx([1, 0, 0])
    assert yaw(found) == pytest.approx(np.pi / 4)


def test_a_lookup_between_two_branches_goes_down_again(tree):
    found = tree.lookup_transform("door", "camera", at(10))
    assert position(found) == pytest.approx([-1, 3, 0.5])
    back = tree.lookup_transform("camera", "door", at(10))
    assert position(back) == pytest.approx([-1, 3, -0.5])


def test_time_zero_is_the_newest_common_time(tree):
    tree.set_transform(transform("base", "arm", 11, (0, 0, 1)), "test")
    found = tree.lookup_transform("map", "arm", Time())
    assert seconds(found) == 11
    assert position(found) == pytest.approx([1, 0, 1])


def test_what_cannot_be_looked_up_says_why(tree):
    tree.set_transform_static(transform("other_map", "ship", 0), "test")
    cases = {
        LookupException: ("map", "nowhere", at(11)),
        ConnectivityException: ("map", "ship", at(11)),
        ExtrapolationException: ("map", "camera", at(12.1)),
    }
    for error, arguments in cases.items():
        assert issubclass(error, TransformException)
        with pytest.raises(error):
            tree.lookup_transform(*arguments)
        assert not tree.can_transform(*arguments)
    with pytest.raises(ExtrapolationException, match="past"):
        tree.lookup_transform("map", "camera", at(9))
    assert tree.can_transform("map", "camera", at(10.5))


def test_old_transforms_are_forgotten():
    buffer = Buffer(cache_time=Duration(seconds=5))
    for stamp in (1, 4, 9):
        buffer.set_transform(transform("map", "base", stamp), "test")
    assert buffer.can_transform("map", "base", at(5))
    assert not buffer.can_transform("map", "base", at(3))


def test_transforms_travel_from_broadcaster_to_listener(spin):
    rclpy = pytest.importorskip("rclpy")
    from tf2_ros import StaticTransformBroadcaster, TransformBroadcaster, TransformListener

    sender, receiver = rclpy.create_node("sender"), rclpy.create_node("receiver")
    fixed = StaticTransformBroadcaster(sender)
    fixed.sendTransform(transform("base", "camera", 1, (1, 0, 0)))
    fixed.sendTransform([transform("base", "lidar", 1, (0, 1, 0))])
    moving = TransformBroadcaster(sender)
    buffer = Buffer()
    listener = TransformListener(buffer, receiver)

    def arrived():
        moving.sendTransform(transform("map", "base", 5, (0, 0, 1)))
        return all(buffer.can_transform("map", child, at(5)) for child in ("camera", "lidar"))

    spin(arrived, sender, receiver)
    assert position(buffer.lookup_transform("map", "camera", at(5))) == pytest.approx([1, 0, 1])
    assert listener.buffer is buffer


def test_clearing_forgets_what_moves_and_keeps_what_never_does(tree):
    tree.clear()
    assert not tree.can_transform("map", "base", Time())
    assert position(tree.lookup_transform("base", "camera", Time())) == [1, 0, 0.5]
