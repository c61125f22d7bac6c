"""ScanNet's .sens, on small files written here in the official layout (version 4)."""

import struct
import zlib

import numpy as np
import pytest

from roomcad_core.datasets import open_dataset
from roomcad_core.pictures import encode_picture
from roomcad_core.pose import rigid

K = np.array([[60.0, 0, 31.5], [0, 60, 23.5], [0, 0, 1]])
SHAPE = (48, 64)
UPRIGHT = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


def square(K):
    out = np.eye(4)
    out[:3, :3] = K
    return struct.pack("<16f", *out.ravel())


def frame_bytes(T, stamp, color, depth):
    jpeg = encode_picture(".jpg", color)
    packed = zlib.compress(depth.astype("<u2").tobytes())
    head = struct.pack("<16fQQQQ", *T.ravel(), stamp, stamp, len(jpeg), len(packed))
    return head + jpeg + packed


def write_sens(path, frames, color_type=2, depth_type=1):
    name = b"StructureSensor"
    height, width = SHAPE
    data = struct.pack("<IQ", 4, len(name)) + name
    data += square(K) + square(np.eye(3)) + square(K) + square(np.eye(3))
    data += struct.pack("<iiIIII", color_type, depth_type, width, height, width, height)
    data += struct.pack("<fQ", 1000.0, len(frames)) + b"".join(frame_bytes(*f) for f in frames)
    data += struct.pack("<Q", 1) + struct.pack("<15dQ", *range(15), 7)  # one IMU sample
    path.write_bytes(data)
    return path


@pytest.fixture
def frames():
    rng = np.random.default_rng(3)
    color = np.zeros((*SHAPE, 3), np.uint8)
    color[:, :32] = (200, 40, 10)
    return [
        (
            rigid(UPRIGHT, (i, 0, 1.5)),
            1_000_000 + 50_000 * i,
            color,
            rng.integers(0, 9000, SHAPE, np.uint16),
        )
        for i in range(3)
    ]


def test_images_poses_and_stamps_come_back(tmp_path, frames):
    dataset = open_dataset(write_sens(tmp_path / "scene0000_00.sens", frames))
    assert len(dataset) == 3 and dataset.name == "scene0000_00"
    assert dataset.fps == pytest.approx(20)
    frame = dataset[2]
    np.testing.assert_array_equal(frame.depth, frames[2][3].astype(np.float32) / 1000)
    np.testing.assert_array_equal(frame.T_world_cam, frames[2][0])
    np.testing.assert_allclose(frame.K, K)
    np.testing.assert_allclose(frame.color[20, 10], (200, 40, 10), atol=6)


def test_equal_stamps_are_replaced_by_the_frame_rate(tmp_path, frames):
    frames = [(T, 0, color, depth) for T, _, color, depth in frames]
    assert open_dataset(write_sens(tmp_path / "a.sens", frames), fps=15.0).fps == pytest.approx(15)


def test_lost_tracking_gives_no_pose(tmp_path, frames):
    frames[1] = (np.full((4, 4), -np.inf), *frames[1][1:])
    dataset = open_dataset(write_sens(tmp_path / "a.sens", frames))
    assert dataset[1].T_world_cam is None and dataset[2].T_world_cam is not None


def test_cut_off_file_is_named_and_its_whole_frames_can_be_kept(tmp_path, frames):
    path = write_sens(tmp_path / "a.sens", frames)
    imu = 8 + 15 * 8 + 8
    path.write_bytes(path.read_bytes()[: -imu - 100])
    with pytest.raises(ValueError, match="a.sens: truncated in frame 2"):
        open_dataset(path)
    assert len(open_dataset(path, bad="skip")) == 2


@pytest.mark.parametrize("size", [0, 3, 10, 40, 200, 330])
def test_cut_off_header_says_what_was_read(tmp_path, frames, size):
    path = write_sens(tmp_path / "a.sens", frames)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="a.sens: truncated in"):
        open_dataset(path)


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, struct.pack("<I", 3), "version 3, expected 4"),
        (4, struct.pack("<Q", 2**60), "sensor name"),
        (27, struct.pack("<f", np.nan), "colour intrinsics"),
        (27 + 256 + 8, struct.pack("<I", 2**31), "image sizes"),
        (27 + 256 + 24, struct.pack("<f", 0.0), "depth shift"),
        (27 + 256 + 28, struct.pack("<Q", 2**62), "truncated"),
        (27 + 256 + 36 + 80, struct.pack("<Q", 2**63), "truncated in frame 0"),
    ],
)
def test_impossible_values_are_refused_before_anything_is_read(
    tmp_path, frames, at, value, message
):
    path = write_sens(tmp_path / "a.sens", frames)
    data = bytearray(path.read_bytes())
    data[at : at + len(value)] = value
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"a.sens.*{message}"):
        open_dataset(path)


def test_depth_of_the_wrong_size_is_named(tmp_path, frames):
    frames[1] = (*frames[1][:3], np.zeros((1000, 1000), np.uint16))
    dataset = open_dataset(write_sens(tmp_path / "a.sens", frames))
    with pytest.raises(ValueError, match="frame 1: depth has"):
        dataset[1]
    assert len(list(open_dataset(tmp_path / "a.sens", bad="skip"))) == 2


def test_unknown_depth_compression_is_named(tmp_path, frames):
    dataset = open_dataset(write_sens(tmp_path / "a.sens", frames, depth_type=2))
    with pytest.raises(ValueError, match="depth compression 2"):
        dataset[0]
