"""Walls and floor without annotation: what stands in the room has something behind it."""

import numpy as np
from box_scan import CHAIR, write_scan

from roomcad_core.types import Frame
from roomcad_offline.rooms.path import heading_pose
from roomcad_offline.scannet.background import Background
from roomcad_offline.scannet.scan import read_scan
from roomcad_offline.scans.render import ScanRenderer

K = np.array([[110.0, 0, 79.5], [0, 110, 59.5], [0, 0, 1]])
VIEWS = (  # position, yaw, pitch
    ((0.6, 1.4, 1.5), 0.0, -0.3),
    ((2.0, 0.6, 1.5), 0.6, -0.5),
    ((2.0, 2.4, 1.5), -0.6, -0.5),
    ((3.4, 2.6, 1.5), -1.6, -0.6),
)


def test_walls_and_floor_are_told_from_a_chair_in_the_room(tmp_path):
    write_scan(tmp_path / "scene0000_00")
    scan = read_scan(tmp_path / "scene0000_00")
    views, frames = [], []
    for position, yaw, pitch in VIEWS:
        T = heading_pose(np.array(position), yaw, pitch)
        view = ScanRenderer(scan).view(T, K, (120, 160))
        views.append(view)
        frames.append(Frame(0.0, np.zeros((120, 160, 3), np.uint8), view.depth, K, T))
    wall, floor = Background(frames, np.eye(4))(frames[0])
    seen = views[0].instances
    names = {i: c.name for i, c in scan.objects.items()}
    is_wall = np.isin(seen, [i for i, name in names.items() if name == "wall"])
    assert wall[is_wall].mean() > 0.9
    assert floor[seen == 1].mean() > 0.95
    assert wall[seen == CHAIR].mean() < 0.1 and floor[seen == CHAIR].mean() < 0.1
    assert not (wall | floor)[frames[0].depth == 0].any()


def test_without_any_frame_everything_upright_is_wall():
    depth = np.full((24, 32), 2.0, np.float32)
    K_small = np.array([[25.0, 0, 15.5], [0, 25, 11.5], [0, 0, 1]])
    T = heading_pose(np.array([0.0, 0, 1]), 0.0, 0.0)
    frame = Frame(0.0, np.zeros((24, 32, 3), np.uint8), depth, K_small, T)
    wall, _ = Background([], np.eye(4))(frame)
    assert wall[8:16, 8:24].all()
