"""Recall of the segmentation on simulated rooms: furniture, clutter, sensor noise."""

import json

import cv2
import numpy as np
import pytest

from roomcad_core.config import SegmentConfig
from roomcad_core.segment import Segmenter
from roomcad_core.types import Frame

pytest.importorskip("open3d", reason="simulated rooms are drawn with Open3D")
config_module = pytest.importorskip("roomcad_offline.rooms.config")

FRAMES = 6
VISIBLE = 500  # a true object counts from this many pixels, half of them measured [px of 320x240]


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    """Folders of three rooms; the camera goes far between two frames."""
    from roomcad_offline.rooms.make import make_rooms

    config = config_module.RoomConfig(
        rooms=3, frames=FRAMES, width=320, height=240, fps=0.6, seed=31, furniture=10
    )
    return make_rooms(config, tmp_path_factory.mktemp("rooms"))[0]


def read(room, number):
    """Frame `number` of a room folder, with its true instances."""
    depth, instances = (
        cv2.imread(str(room / sub / f"{number}.png"), cv2.IMREAD_UNCHANGED)
        for sub in ("depth", "instance")
    )
    color = cv2.imread(str(room / "color" / f"{number}.jpg"))[..., ::-1]
    K = np.loadtxt(room / "intrinsic" / "intrinsic_depth.txt")[:3, :3]
    T_world_cam = np.loadtxt(room / "pose" / f"{number}.txt")
    depth = depth.astype(np.float32) / 1000
    return Frame(0.0, color, depth, K, T_world_cam, instances=instances)


def visible(frame, furniture):
    """True ids of the furniture seen well enough to be found."""
    for i in furniture:
        mask = frame.instances == i
        if mask.sum() >= VISIBLE and np.mean(frame.depth[mask] > 0) >= 0.5:
            yield i


def best_iou(mask, instances):
    """Largest IoU of a true mask with any found one."""
    ids = np.unique(instances[mask])
    found = [instances == i for i in ids[ids > 0]]
    return max((np.sum(mask & f) / np.sum(mask | f) for f in found), default=0.0)


def test_most_visible_furniture_of_simulated_rooms_is_found(rooms):
    segment = Segmenter(SegmentConfig())
    ious, floors = [], []
    for room in rooms:
        objects = json.loads((room / "room.json").read_text())["objects"]
        for number in range(FRAMES):
            frame = read(room, number)
            found = segment(frame)
            for i in visible(frame, [o["id"] for o in objects]):
                ious.append(best_iou(frame.instances == i, found.instances))
            if found.floor_z is not None:
                floors.append(found.floor_z + frame.T_world_cam[2, 3])
    recall = np.mean(np.array(ious) >= 0.5)
    print(f"\nrecall at mask IoU 0.5: {recall:.3f} of {len(ious)} visible objects")
    assert len(ious) >= 20
    assert recall >= 0.85
    assert np.abs(floors).max() < 0.05 and len(floors) >= 0.5 * FRAMES * len(rooms)
