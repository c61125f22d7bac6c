"""Compressed colour and depth on real topics: decoded exactly, and refused with a reason."""

import struct

import numpy as np
import pytest
from rclpy.parameter import Parameter
from roomcad_msgs.msg import ObjectArray
from sensor_msgs.msg import CompressedImage

from roomcad_core.gravity import gravity_frame
from roomcad_core.pictures import encode_picture
from roomcad_core.types import Segmentation
from roomcad_ros import images
from roomcad_ros.segment_node import SegmentNode

COLOR, DEPTH = "color/image_raw/compressed", "depth/image_raw/compressedDepth"
A, B = 10.0, 1.5  # coding of float depth: code = A / depth + B


def compressed(header, form, data):
    return CompressedImage(header=header, format=form, data=data)


def color_msg(frame, header, suffix=".png"):
    kind = {".png": "rgb8; png compressed bgr8", ".jpg": "rgb8; jpeg compressed bgr8"}[suffix]
    return compressed(header, kind, encode_picture(suffix, frame.color))


def depth_png(frame):
    return encode_picture(".png", np.round(frame.depth * 1000).astype(np.uint16))


def depth_msg(frame, header):
    data = struct.pack("<iff", 0, 0.0, 0.0) + depth_png(frame)
    return compressed(header, "16UC1; compressedDepth png", data)


def float_depth_msg(frame, header, head=(A, B)):
    seen = frame.depth > 0
    code = np.zeros(frame.depth.shape, np.uint16)
    code[seen] = np.round(A / frame.depth[seen] + B)
    data = struct.pack("<iff", 0, *head) + encode_picture(".png", code)
    return compressed(header, "32FC1; compressedDepth png", data)


class Camera:
    """Sends compressed images to a real segment node, and keeps the frames it makes of them."""

    def __init__(self, rig, color="compressed", depth="compressedDepth", depth_topic=DEPTH):
        self.rig, self.frames = rig, []
        self.node = SegmentNode(self._segment, parameter_overrides=[
            Parameter("color_transport", value=color), Parameter("depth_transport", value=depth)
        ]).start()  # fmt: skip
        rig.small_color = rig._publisher(CompressedImage, COLOR)
        rig.small_depth = rig._publisher(CompressedImage, depth_topic)
        self.objects = rig.collect(ObjectArray, "objects")
        rig.connect(self.node, inputs=("small_color", "small_depth", "info"))

    def _segment(self, frame):
        self.frames.append(frame)
        return Segmentation(
            np.zeros(frame.depth.shape, np.uint16), (), gravity_frame(np.array([0, -1.0, 0])), None
        )

    def send(self, frame, color, depth):
        self.rig.info.publish(self.info(frame))
        self.rig.small_color.publish(color)
        self.rig.small_depth.publish(depth)

    @staticmethod
    def info(frame):
        return images.info_msg(frame.K, frame.depth.shape, header_of(frame))


def header_of(frame, stamp=100):
    from std_msgs.msg import Header

    header = Header(frame_id=frame.frame_id)
    header.stamp.sec = stamp
    return header


def test_png_colour_and_compressed_depth_arrive_exactly(rig, frame):
    camera = Camera(rig)
    header = header_of(frame)
    camera.send(frame, color_msg(frame, header), depth_msg(frame, header))
    rig.wait(lambda: camera.objects, "objects")
    np.testing.assert_array_equal(camera.frames[0].color, frame.color)
    np.testing.assert_allclose(camera.frames[0].depth, frame.depth, atol=1e-6)
    assert camera.objects[0].header.stamp.sec == 100


def test_jpeg_colour_and_quantised_float_depth_arrive_nearly(rig, frame):
    camera = Camera(rig)
    header = header_of(frame)
    camera.send(frame, color_msg(frame, header, ".jpg"), float_depth_msg(frame, header))
    rig.wait(lambda: camera.objects, "objects")
    got = camera.frames[0]
    assert np.median(np.abs(got.color.astype(int) - frame.color)) <= 3
    np.testing.assert_array_equal(got.depth > 0, frame.depth > 0)
    seen = frame.depth > 0
    # Half a step of the code, A / depth + B, on either side.
    nearest = A / (np.round(A / frame.depth[seen] + B) - B)
    np.testing.assert_allclose(got.depth[seen], nearest, rtol=1e-6)


def test_depth_as_a_plain_png_arrives_exactly(rig, frame):
    camera = Camera(rig, depth="compressed", depth_topic="depth/image_raw/compressed")
    header = header_of(frame)
    depth = compressed(header, "16UC1; png compressed", depth_png(frame))
    camera.send(frame, color_msg(frame, header), depth)
    rig.wait(lambda: camera.objects, "objects")
    np.testing.assert_allclose(camera.frames[0].depth, frame.depth, atol=1e-6)


def test_a_topic_named_compressed_is_read_so_without_a_parameter(rig, frame):
    camera = Camera.__new__(Camera)
    camera.rig, camera.frames = rig, []
    remap = ["-r", f"color/image_raw:={COLOR}", "-r", f"depth/image_raw:={DEPTH}"]
    camera.node = SegmentNode(camera._segment, cli_args=["--ros-args", *remap]).start()
    rig.small_color = rig._publisher(CompressedImage, COLOR)
    rig.small_depth = rig._publisher(CompressedImage, DEPTH)
    camera.objects = rig.collect(ObjectArray, "objects")
    rig.connect(camera.node, inputs=("small_color", "small_depth", "info"))
    header = header_of(frame)
    camera.send(frame, color_msg(frame, header), depth_msg(frame, header))
    rig.wait(lambda: camera.objects, "objects")
    np.testing.assert_array_equal(camera.frames[0].color, frame.color)


BAD = {
    "bytes that are no picture": ("bad_picture", "color", lambda f, h: b"\x00" * 100),
    "an empty picture": ("bad_picture", "color", lambda f, h: b""),
    "a JPEG cut in half": (
        "bad_picture",
        "color",
        lambda f, h: encode_picture(".jpg", f.color)[:-900],
    ),
    "a PNG with a flipped byte": (
        "bad_picture",
        "color",
        lambda f, h: flipped(encode_picture(".png", f.color)),
    ),
    "colour of half the size": (
        "sizes_differ",
        "color",
        lambda f, h: encode_picture(".png", np.ascontiguousarray(f.color[::2, ::2])),
    ),
    "a PNG that claims 2^31 pixels a side": (
        "sizes_differ",
        "color",
        lambda f, h: (
            encode_picture(".png", f.color)[:16]
            + b"\x7f\xff\xff\xff" * 2
            + encode_picture(".png", f.color)[24:]
        ),
    ),
    "depth of eight bits": (
        "bad_picture",
        "depth",
        lambda f, h: bytes(12) + encode_picture(".png", f.color),
    ),
    "depth shorter than its head": ("bad_picture", "depth", lambda f, h: b"\x00" * 5),
}


def flipped(data):
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 255]) + data[len(data) // 2 + 1 :]


def test_bad_pictures_are_counted_by_reason_and_the_next_frame_served(rig, frame):
    camera = Camera(rig)
    dropped = camera.node.health.dropped
    for number, (name, (reason, topic, make)) in enumerate(BAD.items(), 100):
        header = header_of(frame, number)
        sent = {"color": color_msg(frame, header), "depth": depth_msg(frame, header)}
        sent[topic].data = make(frame, header)
        before = dropped[reason]
        camera.send(frame, **sent)
        rig.wait(lambda r=reason, n=before: dropped[r] > n, f"{name} to be counted as {reason}")
    for form in ("16UC1; compressedDepth rvl", "8UC1; compressedDepth png", ""):
        header = header_of(frame, header.stamp.sec + 1)
        depth = depth_msg(frame, header)
        depth.format = form
        before = dropped["bad_picture"]
        camera.send(frame, color_msg(frame, header), depth)
        rig.wait(lambda n=before: dropped["bad_picture"] > n, f"format '{form}' to be counted")
    for head in ((np.nan, 0.0), (0.0, 0.0), (-1.0, 0.0), (1.0, np.inf)):
        header = header_of(frame, header.stamp.sec + 1)
        before = dropped["bad_picture"]
        camera.send(frame, color_msg(frame, header), float_depth_msg(frame, header, head))
        rig.wait(lambda n=before: dropped["bad_picture"] > n, f"the coding {head} to be counted")
    assert not camera.frames
    header = header_of(frame, header.stamp.sec + 1)
    camera.send(frame, color_msg(frame, header), depth_msg(frame, header))
    rig.wait(lambda: camera.frames, "a good frame")


@pytest.mark.parametrize("name", ["color_transport", "depth_transport"])
def test_an_unknown_transport_is_refused(spin, name):
    with pytest.raises(Exception, match="theora"):
        SegmentNode(parameter_overrides=[Parameter(name, value="theora")])
