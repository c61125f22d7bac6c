"""message_filters, cv_bridge and point_cloud2 as the nodes use them.

Where the official packages are installed these tests run on them.
"""

import numpy as np
import pytest
from cv_bridge import CvBridge, CvBridgeError
from message_filters import ApproximateTimeSynchronizer, SimpleFilter, TimeSynchronizer
from rclpy.time import Time
from sensor_msgs.msg import Image
from sensor_msgs_py import point_cloud2
from std_msgs.msg import Header


def stamped(seconds, frame_id=""):
    header = Header(frame_id=frame_id)
    header.stamp = Time(nanoseconds=round(seconds * 1e9)).to_msg()
    return Image(header=header)


def seconds(msg):
    return Time.from_msg(msg.header.stamp).nanoseconds * 1e-9


def synchronised(kind, n=2, **settings):
    """n filters to feed, and the list of the sets of stamps that come out."""
    filters, out = [SimpleFilter() for _ in range(n)], []
    sync = kind(filters, **settings)
    sync.registerCallback(lambda *messages: out.append(tuple(map(seconds, messages))))
    return filters, out


def test_equal_stamps_pair_up_in_any_order_of_arrival():
    (a, b), out = synchronised(TimeSynchronizer, queue_size=5)
    for stamp in (1, 2, 3):
        a.signalMessage(stamped(stamp))
    for stamp in (3, 4, 1):
        b.signalMessage(stamped(stamp))
    assert out == [(3, 3), (1, 1)]


def test_a_full_queue_forgets_its_oldest_message():
    (a, b), out = synchronised(TimeSynchronizer, queue_size=2)
    for stamp in (1, 2, 3):
        a.signalMessage(stamped(stamp))
    for stamp in (1, 2):
        b.signalMessage(stamped(stamp))
    assert out == [(2, 2)]


def test_three_stamps_within_the_slop_pair_up_and_are_used_once():
    (a, b, c), out = synchronised(ApproximateTimeSynchronizer, 3, queue_size=5, slop=0.05)
    a.signalMessage(stamped(1.00))
    b.signalMessage(stamped(1.03))
    c.signalMessage(stamped(1.08))  # 0.08 from the first
    assert out == []
    c.signalMessage(stamped(1.04))
    assert out == [pytest.approx((1.00, 1.03, 1.04))]
    b.signalMessage(stamped(1.02))
    assert len(out) == 1


def test_the_nearest_of_two_candidates_is_taken():
    (a, b), out = synchronised(ApproximateTimeSynchronizer, queue_size=5, slop=0.1)
    a.signalMessage(stamped(1.00))
    a.signalMessage(stamped(1.06))
    b.signalMessage(stamped(1.05))
    assert out == [pytest.approx((1.06, 1.05))]


def test_further_callback_arguments_are_passed_on():
    source, out = SimpleFilter(), []
    source.registerCallback(lambda msg, tag: out.append((seconds(msg), tag)), "left")
    source.signalMessage(stamped(1))
    assert out == [(1, "left")]


IMAGES = {
    "mono8": np.arange(12, dtype=np.uint8).reshape(3, 4),
    "mono16": np.arange(12, dtype=np.uint16).reshape(3, 4) * 1000,
    "16UC1": np.arange(12, dtype=np.uint16).reshape(3, 4) * 1000,
    "32FC1": np.linspace(0, 5, 12, dtype=np.float32).reshape(3, 4),
    "rgb8": np.arange(36, dtype=np.uint8).reshape(3, 4, 3),
    "bgr8": np.arange(36, dtype=np.uint8).reshape(3, 4, 3),
    "rgba8": np.arange(48, dtype=np.uint8).reshape(3, 4, 4),
    "bgra8": np.arange(48, dtype=np.uint8).reshape(3, 4, 4),
}


@pytest.mark.parametrize("encoding", IMAGES)
def test_an_image_survives_the_way_into_a_message_and_back(encoding):
    header = Header(frame_id="camera")
    msg = CvBridge().cv2_to_imgmsg(IMAGES[encoding], encoding=encoding, header=header)
    assert (msg.height, msg.width, msg.encoding, msg.header) == (3, 4, encoding, header)
    assert msg.step == IMAGES[encoding].strides[0]
    back = CvBridge().imgmsg_to_cv2(msg)
    assert back.dtype == IMAGES[encoding].dtype
    np.testing.assert_array_equal(back, IMAGES[encoding])


@pytest.mark.parametrize("encoding", ["mono8", "16UC1", "rgb8"])
def test_padding_at_the_end_of_rows_is_skipped(encoding):
    msg = CvBridge().cv2_to_imgmsg(IMAGES[encoding], encoding=encoding)
    rows = np.frombuffer(msg.data, np.uint8).reshape(3, msg.step)
    msg.data = np.pad(rows, ((0, 0), (0, 6)), constant_values=255).tobytes()
    msg.step += 6
    np.testing.assert_array_equal(CvBridge().imgmsg_to_cv2(msg), IMAGES[encoding])


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
def test_big_endian_depth_is_read_right(encoding):
    msg = CvBridge().cv2_to_imgmsg(IMAGES[encoding], encoding=encoding)
    msg.data = IMAGES[encoding].astype(IMAGES[encoding].dtype.newbyteorder(">")).tobytes()
    msg.is_bigendian = 1
    np.testing.assert_array_equal(CvBridge().imgmsg_to_cv2(msg), IMAGES[encoding])


def test_colours_are_reordered_when_another_encoding_is_asked():
    msg = CvBridge().cv2_to_imgmsg(IMAGES["bgr8"], encoding="bgr8")
    rgb = CvBridge().imgmsg_to_cv2(msg, desired_encoding="rgb8")
    np.testing.assert_array_equal(rgb, IMAGES["bgr8"][..., ::-1])
    rgba = CvBridge().imgmsg_to_cv2(msg, desired_encoding="rgba8")
    np.testing.assert_array_equal(rgba[..., :3], rgb)
    assert (rgba[..., 3] == 255).all()
    grey = CvBridge().imgmsg_to_cv2(msg, desired_encoding="mono8")
    assert grey.shape == (3, 4)


def test_a_compressed_image_is_decoded():
    image = np.zeros((8, 8, 3), np.uint8)
    image[:, :, 0] = 200  # blue
    msg = CvBridge().cv2_to_compressed_imgmsg(image, dst_format="png")
    np.testing.assert_array_equal(CvBridge().compressed_imgmsg_to_cv2(msg), image)
    rgb = CvBridge().compressed_imgmsg_to_cv2(msg, desired_encoding="rgb8")
    assert tuple(rgb[0, 0]) == (0, 0, 200)


def test_a_truncated_or_unknown_image_is_an_error():
    msg = CvBridge().cv2_to_imgmsg(IMAGES["16UC1"], encoding="16UC1")
    msg.data = msg.data[:-1]
    with pytest.raises((CvBridgeError, TypeError, ValueError)):
        CvBridge().imgmsg_to_cv2(msg)
    with pytest.raises(CvBridgeError):
        CvBridge().imgmsg_to_cv2(Image(height=1, width=1, step=1, encoding="nonsense", data=[0]))


def test_a_subscriber_feeds_the_synchroniser(spin):
    rclpy = pytest.importorskip("rclpy")
    from message_filters import Subscriber
    from rclpy.qos import qos_profile_sensor_data

    node, received = rclpy.create_node("pairs"), []
    topics = ("left", "right")
    inputs = [Subscriber(node, Image, t, qos_profile=qos_profile_sensor_data) for t in topics]
    sync = TimeSynchronizer(inputs, 5)
    sync.registerCallback(lambda a, b: received.append((a.header.frame_id, b.header.frame_id)))
    publishers = [node.create_publisher(Image, t, qos_profile_sensor_data) for t in topics]
    spin(lambda: all(p.get_subscription_count() for p in publishers), node)

    def arrived():
        for topic, publisher in zip(topics, publishers, strict=True):
            publisher.publish(stamped(7, topic))
        return received

    spin(arrived, node)
    assert received[0] == topics


def test_a_cloud_survives_the_way_into_a_message_and_back():
    points = np.arange(12, dtype=np.float32).reshape(4, 3)
    cloud = point_cloud2.create_cloud_xyz32(Header(frame_id="camera"), points)
    assert (cloud.height, cloud.width, cloud.point_step) == (1, 4, 12)
    np.testing.assert_array_equal(point_cloud2.read_points_numpy(cloud), points)
    names = point_cloud2.read_points(cloud, field_names=["z", "x"])
    np.testing.assert_array_equal(names["z"], points[:, 2])


def test_an_organised_cloud_keeps_its_rows_and_nans_can_be_left_out():
    points = np.arange(18, dtype=np.float32).reshape(2, 3, 3)
    points[0, 1, 2] = np.nan
    cloud = point_cloud2.create_cloud_xyz32(Header(), points)
    assert (cloud.height, cloud.width) == (2, 3)
    organised = point_cloud2.read_points_numpy(cloud, reshape_organized_cloud=True)
    np.testing.assert_array_equal(organised, points)
    assert point_cloud2.read_points_numpy(cloud, skip_nans=True).shape == (5, 3)


def test_fields_of_several_types_with_gaps_are_read_by_name():
    from sensor_msgs.msg import PointField

    fields = [
        PointField(name="x", offset=0, datatype=PointField.FLOAT32, count=1),
        PointField(name="ring", offset=6, datatype=PointField.UINT16, count=1),
        PointField(name="time", offset=8, datatype=PointField.FLOAT64, count=1),
    ]
    dtype = point_cloud2.dtype_from_fields(fields)
    points = np.array([(1.5, 3, 0.25), (2.5, 4, 0.5)], dtype)
    back = point_cloud2.read_points(point_cloud2.create_cloud(Header(), fields, points))
    for name in ("x", "ring", "time"):
        np.testing.assert_array_equal(back[name], points[name])
