"""Bags written by us are read back exactly; damaged or odd ones are explained."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from roomcad_core.bags.writer import FrameBagWriter
from roomcad_core.datasets import open_dataset
from roomcad_core.pose import rigid
from roomcad_core.types import Frame

K = np.array([[60.123456789, 0, 31.5], [0, 61, 23.25], [0, 0, 1]])
SHAPE = (48, 64)


@pytest.fixture
def frames():
    rng = np.random.default_rng(5)
    turns = Rotation.random(4, rng=rng).as_matrix()
    color = np.zeros((*SHAPE, 3), np.uint8)
    color[:, 20:] = (210, 60, 20)
    return [
        Frame(
            stamp=1 + i / 10,
            color=color + np.uint8(i),
            depth=rng.integers(0, 9000, SHAPE).astype(np.float32) / np.float32(1000),
            K=K,
            T_world_cam=rigid(turns[i], rng.uniform(-5, 5, 3)),
        )
        for i in range(4)
    ]


def write(out, frames, **options):
    with FrameBagWriter(out, **options) as bag:
        for frame in frames:
            bag.write(frame)
    return out


@pytest.mark.parametrize("name", ["room.mcap", "room.db3", "room"])
def test_what_was_written_is_read_back_exactly(tmp_path, frames, name):
    dataset = open_dataset(write(tmp_path / name, frames))
    assert len(dataset) == 4 and dataset.fps == pytest.approx(10)
    for before, after in zip(frames, dataset, strict=True):
        np.testing.assert_array_equal(after.color, before.color)
        np.testing.assert_array_equal(after.depth, before.depth)
        np.testing.assert_array_equal(after.K, before.K)
        np.testing.assert_allclose(after.T_world_cam, before.T_world_cam, atol=1e-12)
        assert after.stamp == pytest.approx(before.stamp, abs=1e-9)
        assert after.frame_id == before.frame_id


@pytest.mark.parametrize("name", ["room.mcap", "room.db3"])
def test_a_bare_bag_file_is_read_like_its_folder(tmp_path, frames, name):
    out = write(tmp_path / name, frames)
    dataset = open_dataset(out / name)
    assert len(dataset) == 4
    np.testing.assert_array_equal(dataset[3].depth, frames[3].depth)


def test_compressed_bag_keeps_depth_exactly_and_colour_nearly(tmp_path, frames):
    dataset = open_dataset(write(tmp_path / "a.mcap", frames, compressed=True))
    np.testing.assert_array_equal(dataset[2].depth, frames[2].depth)
    assert np.abs(dataset[2].color.astype(int) - frames[2].color).mean() < 2


@pytest.mark.parametrize("info", ["", "/camera/depth/camera_info"])
def test_organised_cloud_alone_gives_colour_depth_and_camera(tmp_path, frames, info):
    out = write(tmp_path / "a.mcap", frames, points=True)
    frame = open_dataset(out, cloud_topic="/camera/depth/points", info_topic=info)[1]
    np.testing.assert_array_equal(frame.color, frames[1].color)
    np.testing.assert_allclose(frame.depth, frames[1].depth, atol=1e-6)
    np.testing.assert_allclose(frame.K, K, atol=1e-3)


def test_frame_without_pose_gets_none_and_no_poses_mean_no_tf(tmp_path, frames):
    lost = [Frame(f.stamp, f.color, f.depth, f.K) for f in frames]
    dataset = open_dataset(write(tmp_path / "a.mcap", lost))
    assert dataset[0].T_world_cam is None
    mixed = [frames[0], lost[1], frames[2]]
    dataset = open_dataset(write(tmp_path / "b.mcap", mixed), max_tf_gap=0.0)
    assert [f.T_world_cam is None for f in dataset] == [False, True, False]


def test_up_option_turns_the_world_of_a_bag(tmp_path, frames):
    out = write(tmp_path / "a.mcap", frames)
    T = open_dataset(out, up="y")[0].T_world_cam
    np.testing.assert_allclose(T[2], frames[0].T_world_cam[1], atol=1e-12)


def test_metadata_offer_tf_static_as_transient_local(tmp_path, frames):
    from rosbags.highlevel import AnyReader
    from rosbags.interfaces import QosDurability

    with AnyReader([write(tmp_path / "a.mcap", frames)]) as reader:
        by_topic = {c.topic: c for c in reader.connections}
        (qos,) = by_topic["/tf_static"].ext.offered_qos_profiles
        assert qos.durability == QosDurability.TRANSIENT_LOCAL
        assert by_topic["/tf"].ext.offered_qos_profiles[0].durability == QosDurability.VOLATILE
        assert by_topic["/camera/color/image_raw"].msgcount == 4
        _, _, data = next(reader.messages([by_topic["/tf_static"]]))
        (body,) = reader.deserialize(data, "tf2_msgs/msg/TFMessage").transforms
        q = body.transform.rotation
    # The body's x axis (forward) is the optical z axis, its z axis (up) the optical -y axis.
    R = Rotation.from_quat((q.x, q.y, q.z, q.w)).as_matrix()
    np.testing.assert_allclose(R[:, 0], (0, 0, 1), atol=1e-12)
    np.testing.assert_allclose(R[:, 2], (0, -1, 0), atol=1e-12)


def test_failed_writing_leaves_nothing_behind(tmp_path, frames):
    with pytest.raises(RuntimeError, match="stop"), FrameBagWriter(tmp_path / "a.mcap") as bag:
        bag.write(frames[0])
        raise RuntimeError("stop")
    with pytest.raises(ValueError, match="no frame"), FrameBagWriter(tmp_path / "b.mcap"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_existing_bag_is_replaced_only_when_asked(tmp_path, frames):
    out = write(tmp_path / "a.mcap", frames)
    with pytest.raises(FileExistsError, match="a.mcap"):
        write(out, frames[:2])
    assert len(open_dataset(write(out, frames[:2], overwrite=True))) == 2
    folder = tmp_path / "precious"
    folder.mkdir()
    with pytest.raises(FileExistsError, match="is no bag"):
        write(folder, frames, overwrite=True)


@pytest.mark.parametrize("name", ["room.mcap", "room.db3"])
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.6, 0.98])
def test_truncated_bag_is_named_in_the_error(tmp_path, frames, name, kept):
    out = write(tmp_path / name, frames)
    data = (out / name).read_bytes()
    (out / name).write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ValueError, match=name):
        list(open_dataset(out))


def test_bag_without_metadata_says_that_the_recording_was_interrupted(tmp_path, frames):
    out = write(tmp_path / "a.mcap", frames)
    (out / "metadata.yaml").unlink()
    with pytest.raises(ValueError, match="a.mcap: metadata.yaml is missing.*reindex"):
        open_dataset(out)


def test_absent_topic_lists_those_of_the_bag(tmp_path, frames):
    out = write(tmp_path / "a.mcap", frames)
    with pytest.raises(ValueError, match="no topic /nowhere; it has .*/camera/color/image_raw"):
        open_dataset(out, depth_topic="/nowhere")
    with pytest.raises(ValueError, match="/tf is empty or of type tf2_msgs"):
        open_dataset(out, color_topic="/tf")


def test_stamp_zero_is_refused(tmp_path, frames):
    frame = Frame(0.0, frames[0].color, frames[0].depth, K)
    with pytest.raises(ValueError, match="ROS needs stamps after 0"):
        write(tmp_path / "a.mcap", [frame])
