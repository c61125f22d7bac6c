"""Settings of rendered scans; the only place where a default of theirs is written."""

from __future__ import annotations

from dataclasses import dataclass

from roomcad_core.config import Checked, setting
from roomcad_offline.rooms.sensors.kinds import KINDS


@dataclass(frozen=True)
class ScanConfig(Checked):
    """How frames are rendered from a scan; equal configs give identical files."""

    frames: int = setting(20, "frames of each scan", 1, 100000)
    seed: int = setting(1, "seed of everything that is random", 0, 2**31 - 1)
    width: int = setting(640, "image width [px]", 32, 1920)
    height: int = setting(480, "image height [px]", 32, 1440)
    focal: float = setting(0.0, "focal length at 640 px width [px]; 0 = 525 to 580", 0.0, 2000.0)
    fps: float = setting(1.0, "frames per second of the walk", 0.1, 120.0)
    speed: float = setting(0.45, "speed of the camera along its path [m/s]", 0.05, 3.0)
    viewpoint: str = setting("any", "camera height", choices=("any", "robot", "head"))
    sensor: str = setting("any", "kind of depth camera", choices=("any", *KINDS, "none"))
    holes: float = setting(0.1, "holes of the mesh up to this radius are closed [m]", 0.0, 1.0)
