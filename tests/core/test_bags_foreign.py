"""Bags of other recorders: encodings, padding, byte order, pairing, TF chains, distortion."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from roomcad_core.bags.images import color_array, compressed_depth, depth_array
from roomcad_core.bags.messages import Messages
from roomcad_core.bags.tf import TfTree
from roomcad_core.datasets import open_dataset
from roomcad_core.pictures import encode_picture
from roomcad_core.pose import rigid, rotation_y
from roomcad_core.rectify import Rectifier

K = np.array([[60.0, 0, 31.5], [0, 60, 23.5], [0, 0, 1]])
SHAPE = (48, 64)
NS = 1_000_000_000


def image(array, encoding, step=None, bigendian=False):
    """Image message with rows padded to `step`."""
    height, width = array.shape[:2]
    rows = np.ascontiguousarray(array).view(np.uint8).reshape(height, -1)
    step = step or rows.shape[1]
    data = np.pad(rows, ((0, 0), (0, step - rows.shape[1])), constant_values=99)
    return SimpleNamespace(
        height=height,
        width=width,
        encoding=encoding,
        step=step,
        is_bigendian=int(bigendian),
        data=data.reshape(-1),
    )


def test_depth_units_follow_the_encoding():
    mm = np.array([[0, 1500]], np.uint16)
    metres = np.array([[np.nan, 1.5, np.inf, -1]], np.float32)
    np.testing.assert_array_equal(depth_array(image(mm, "16UC1")), [[0, 1.5]])
    np.testing.assert_array_equal(depth_array(image(metres, "32FC1")), [[0, 1.5, 0, 0]])


def test_padded_rows_and_byte_order_are_respected():
    mm = np.arange(12, dtype=np.uint16).reshape(3, 4) * 300
    swapped = mm.astype(">u2")
    np.testing.assert_array_equal(
        depth_array(image(swapped, "16UC1", step=16, bigendian=True)),
        mm.astype(np.float32) / np.float32(1000),
    )


@pytest.mark.parametrize(
    ("encoding", "pixel"),
    [("rgb8", (1, 2, 3)), ("bgr8", (3, 2, 1)), ("rgba8", (1, 2, 3, 9)), ("bgra8", (3, 2, 1, 9))],
)
def test_colour_orders_become_rgb(encoding, pixel):
    array = np.full((4, 6, len(pixel)), pixel, np.uint8)
    assert (color_array(image(array, encoding)) == (1, 2, 3)).all()


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_patterns_become_rgb(pattern):
    rgb = {"r": 200, "g": 100, "b": 50}
    tile = np.array([rgb[c] for c in pattern], np.uint8).reshape(2, 2)
    color = color_array(image(np.tile(tile, (6, 6)), f"bayer_{pattern}8"))
    np.testing.assert_array_equal(color[4, 4], (200, 100, 50))


def test_short_data_and_unknown_encodings_say_what_was_got():
    msg = image(np.zeros((4, 6), np.uint16), "16UC1")
    msg.data = msg.data[:-1]
    with pytest.raises(ValueError, match="6x4 16UC1 with step 12 needs 48 bytes, got 47"):
        depth_array(msg)
    with pytest.raises(ValueError, match="encoding '64FC1'"):
        depth_array(image(np.zeros((4, 6)), "64FC1"))


def test_compressed_float_depth_is_decoded_from_its_inverse():
    a, b = 100.0, -10.0
    depth = np.array([[0.5, 2.0], [4.0, 0.0]], np.float32)
    with np.errstate(divide="ignore"):
        code = np.where(depth > 0, a / depth + b, 0).round().astype(np.uint16)
    data = np.array([0], "<i4").tobytes() + np.array([a, b], "<f4").tobytes()
    msg = SimpleNamespace(
        format="32FC1; compressedDepth png", data=data + encode_picture(".png", code)
    )
    np.testing.assert_allclose(compressed_depth(msg, "x"), depth, rtol=1e-5)
    msg.format = "16UC1; compressedDepth rvl"
    with pytest.raises(ValueError, match="rvl"):
        compressed_depth(msg, "x")


def test_tf_chain_is_multiplied_and_interpolated_at_the_stamp():
    tree = TfTree(max_gap=1.0)
    tree.add("map", "odom", 0, rigid(np.eye(3), (10, 0, 0)), static=True)
    tree.add("odom", "base", 1 * NS, rigid(np.eye(3), (0, 0, 0)))
    tree.add("/odom", "/base", 2 * NS, rigid(rotation_y(0.4), (2, 0, 0)))
    tree.add("base", "cam", 0, rigid(np.eye(3), (0, 0, 1)), static=True)
    assert tree.world_above("cam") == "map"
    expected = rigid(np.eye(3), (10, 0, 0)) @ rigid(rotation_y(0.1), (0.5, 0, 0))
    expected = expected @ rigid(np.eye(3), (0, 0, 1))
    np.testing.assert_allclose(tree.lookup("map", "cam", int(1.25 * NS)), expected, atol=1e-12)
    assert tree.lookup("map", "cam", 3 * NS) is None  # never beyond the recording
    assert tree.lookup("world", "cam", 1 * NS) is None


def test_tf_loop_ends():
    tree = TfTree(max_gap=1.0)
    tree.add("a", "b", 0, np.eye(4), static=True)
    tree.add("b", "a", 0, np.eye(4), static=True)
    assert tree.world_above("a") is None and tree.lookup("map", "a", 0) is None


def test_distorted_images_are_straightened():
    d = np.array([-0.2, 0.05, 0, 0, 0])
    point = np.array([[[0.3, -0.2, 1.0]]])
    straight = K @ point[0, 0]
    seen, _ = cv2.projectPoints(point, np.zeros(3), np.zeros(3), K, d)
    depth = np.zeros(SHAPE, np.float32)
    u, v = np.rint(seen[0, 0]).astype(int)
    depth[v - 1 : v + 2, u - 1 : u + 2] = 1
    color = np.repeat((depth * 200).astype(np.uint8)[..., None], 3, 2)
    color, depth = Rectifier(K, d, "plumb_bob", "x")(color, depth)
    u, v = np.rint(straight[:2]).astype(int)
    assert depth[v, u] == 1 and color[v, u, 0] > 150
    with pytest.raises(ValueError, match="x: distortion model 'odd'"):
        Rectifier(K, d, "odd", "x")


class Recorder:
    """Writes bags whose topics a test chooses, with the messages of our own writer."""

    def __init__(self, path):
        self._bag = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
        self.messages = Messages()
        self._topics = {}

    def __enter__(self):
        self._bag.open()
        return self

    def __exit__(self, *_):
        self._bag.close()

    def put(self, topic, msg, stamp_ns):
        if topic not in self._topics:
            self._topics[topic] = self.messages.connect(self._bag, topic, msg)
        self._bag.write(self._topics[topic], stamp_ns, self.messages.encode(msg))

    def image(self, topic, array, encoding, stamp_ns, frame_id="cam"):
        msg = self.messages._image(self.messages._header(frame_id, stamp_ns), encoding, array)
        self.put(topic, msg, stamp_ns + 3_000_000)  # recorded a little later than taken

    def info(self, topic, stamp_ns, shape=SHAPE):
        frame = SimpleNamespace(depth=np.zeros(shape), K=K)
        header = self.messages._header("cam", stamp_ns)
        self.put(topic, self.messages._camera_info(header, frame), stamp_ns)


COLOR = np.zeros((*SHAPE, 3), np.uint8)
DEPTH = np.full(SHAPE, 1.25, np.float32)


def test_topics_are_found_by_encoding_and_paired_by_nearest_stamp(tmp_path, caplog):
    with Recorder(tmp_path / "bag") as bag:
        bag.info("/rig/rgb/camera_info", NS)
        for k in range(3):
            t = (k + 1) * NS
            bag.image("/rig/infra", COLOR[..., 0], "mono8", t)
            bag.image("/rig/rgb/picture", COLOR + np.uint8(k), "bgr8", t + 8_000_000)
            bag.image("/rig/z", DEPTH[:24], "32FC1", t)
            bag.image("/rig/aligned_z", DEPTH, "32FC1", t)
        bag.image("/rig/aligned_z", DEPTH, "32FC1", 10 * NS)
    dataset = open_dataset(tmp_path / "bag")
    topics = dataset.topics
    assert (topics.color, topics.depth) == ("/rig/rgb/picture", "/rig/aligned_z")
    assert topics.info == "/rig/rgb/camera_info"
    assert [frame.color[0, 0, 0] for frame in dataset] == [0, 1, 2]
    assert (dataset[0].depth == 1.25).all() and dataset[0].T_world_cam is None
    assert "1 of 4 images of /rig/aligned_z have no colour" in caplog.text
    assert "no TF from cam to map, odom or world" in caplog.text
    with pytest.raises(ValueError, match="no stamps of /rig/rgb/picture and /rig/aligned_z"):
        open_dataset(tmp_path / "bag", slop=0.001)


def test_depth_and_colour_of_different_size_name_both_topics(tmp_path):
    with Recorder(tmp_path / "bag") as bag:
        bag.info("/c/camera_info", NS)
        bag.image("/c/color", COLOR, "rgb8", NS)
        bag.image("/c/depth", DEPTH[:24, :32], "32FC1", NS)
    with pytest.raises(ValueError, match="/c/color is 64x48 but /c/depth is 32x24"):
        open_dataset(tmp_path / "bag")[0]


def test_camera_info_of_another_size_is_named(tmp_path):
    with Recorder(tmp_path / "bag") as bag:
        bag.info("/c/camera_info", NS, shape=(480, 640))
        bag.image("/c/color", COLOR, "rgb8", NS)
        bag.image("/c/depth", DEPTH, "32FC1", NS)
    with pytest.raises(ValueError, match="64x48, but /c/camera_info describes 640x480"):
        open_dataset(tmp_path / "bag")[0]


def test_missing_parts_are_listed(tmp_path):
    with Recorder(tmp_path / "a") as bag:
        bag.image("/c/color", COLOR, "rgb8", NS)
    with pytest.raises(ValueError, match="no depth image topic and no organised PointCloud2"):
        open_dataset(tmp_path / "a")
    with Recorder(tmp_path / "b") as bag:
        bag.image("/c/color", COLOR, "rgb8", NS)
        bag.image("/c/depth", DEPTH, "32FC1", NS)
    with pytest.raises(ValueError, match="no CameraInfo beside /c/depth or /c/color"):
        open_dataset(tmp_path / "b")


def test_damaged_message_is_named_and_can_be_skipped(tmp_path, caplog):
    with Recorder(tmp_path / "bag") as bag:
        bag.info("/c/camera_info", NS)
        for k in (1, 2, 3):
            bag.image("/c/color", COLOR, "rgb8", k * NS)
            msg = bag.messages._image(bag.messages._header("cam", k * NS), "32FC1", DEPTH)
            if k == 2:
                msg.data = msg.data[:100]
            bag.put("/c/depth", msg, k * NS)
    with pytest.raises(ValueError, match="bag: /c/depth at 2.000 s: 64x48 32FC1"):
        list(open_dataset(tmp_path / "bag"))
    assert len(list(open_dataset(tmp_path / "bag", bad="skip"))) == 2
    assert "skipped" in caplog.text and "/c/depth at 2.000 s" in caplog.text
