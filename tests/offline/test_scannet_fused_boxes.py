"""Boxes of a recording that has none: around what its frames show, and frames without truth."""

import cv2
import numpy as np
import pytest

from roomcad_core.datasets import open_dataset
from roomcad_offline.benchmarks.real.evaluate import KindResult, score_room
from roomcad_offline.benchmarks.real.predictions import FramePrediction
from roomcad_offline.benchmarks.real.room import Room
from roomcad_offline.benchmarks.real.sources import Source
from roomcad_offline.scannet.categories import by_name
from roomcad_offline.scannet.frames import open_truth

K = np.array([[60.0, 0, 31.5], [0, 60, 23.5], [0, 0, 1]])
SIZE = (48, 64)
# A camera 1 m above the floor that looks along the world's x.
T_WORLD_CAM = np.array([[0, 0, 1.0, 0], [-1, 0, 0, 0], [0, -1, 0, 1], [0, 0, 0, 1]])
CHAIR, LAMP = 7, 3


@pytest.fixture
def folder(tmp_path, write_recording):
    """Two frames of a wall that is 2 m away at the left and 2.63 m at the right."""
    path = tmp_path / "scene0000_00"
    slope = np.broadcast_to(2 + 0.01 * np.arange(SIZE[1]), SIZE).astype(np.float32)
    write_recording(path, K, [slope] * 2)
    ids, labels = np.full(SIZE, 9), np.full(SIZE, by_name("wall").scannet_id)
    for number, name, part in (
        (CHAIR, "chair", np.s_[10:40, 0:41]),
        (LAMP, "lamp", np.s_[44:, 60:]),
    ):
        ids[part], labels[part] = number, by_name(name).scannet_id
    for i in range(2):
        np.savetxt(path / "pose" / f"{i}.txt", T_WORLD_CAM)
        for name, image in (("instance-filt", ids), ("label-filt", labels)):
            (path / name).mkdir(exist_ok=True)
            cv2.imwrite(str(path / name / f"{i}.png"), image.astype(np.uint16))
    return path


def opened(folder):
    return open_truth(folder, open_dataset(folder, up="z"))


def corners(box):
    return np.array([box.center - box.size / 2, box.center + box.size / 2])


# x from columns 0 to 40; y = -(column - 31.5) / 60 x; z = 1 - (row - 23.5) / 60 x, rows 10 to 39.
EDGES = np.array([[2.0, -0.34, 0.40], [2.4, 1.05, 1.53]])


def test_boxes_are_around_what_frames_show_of_each_thing(folder, caplog):
    truth = opened(folder)
    np.testing.assert_array_equal(truth.T_aligned_world, np.eye(4))
    (box,) = truth.boxes
    assert (box.id, box.category.name) == (CHAIR, "chair")  # no box of a wall
    np.testing.assert_allclose(corners(box), EDGES, atol=0.06)
    assert "1 instances of fewer than 200 points left out: lamp (id 3, 8)" in caplog.text
    assert truth.boxes is truth.boxes


def test_boxes_are_in_the_frame_that_scenes_text_file_tells(folder):
    """A quarter turn about z and 0.5 m up."""
    turn = "0 -1 0 0 1 0 0 0 0 0 1 0.5 0 0 0 1"
    (folder / "scene0000_00.txt").write_text(f"axisAlignment = {turn}\n")
    (box,) = opened(folder).boxes
    x, y, z = EDGES.T
    expected = np.array([-y[::-1], x, z + 0.5]).T
    np.testing.assert_allclose(corners(box), expected, atol=0.06)


def test_frames_without_pose_or_truth_make_no_boxes(folder, caplog):
    np.savetxt(folder / "pose/1.txt", np.full((4, 4), -np.inf))
    (box,) = opened(folder).boxes
    np.testing.assert_allclose(corners(box), EDGES, atol=0.06)
    (folder / "label-filt/0.png").unlink()
    truth = opened(folder)  # nothing is looked at before it is asked for
    assert truth.boxes is None
    assert "1 of 1 frames without truth" in caplog.text and "label-filt/0.png" in caplog.text
    assert "no boxes: no frame with pose and truth" in caplog.text


class Served:
    """Predictions of two frames in which nothing was found."""

    room = ()

    def __len__(self):
        return 2

    def __getitem__(self, k):
        return FramePrediction(k, np.zeros(SIZE, np.uint16), (), ())


def test_a_frame_without_its_label_image_is_counted(folder, caplog):
    (folder / "instance-filt/1.png").unlink()
    room = Room.open(Source("scene0000_00", "recording", folder))
    result = score_room(room, Served(), None, KindResult())
    assert (result.frames.frames, result.frames.without_truth) == (1, 1)
    assert "scene0000_00/1: without truth" in caplog.text
    assert "instance-filt/1.png: no such file" in caplog.text
    assert result.objects.true[0][0] == "chair" and result.frames.total("true", "chair") == 1
