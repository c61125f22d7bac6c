"""Settings of the simulated rooms; the only place where a default of theirs is written."""

from __future__ import annotations

from dataclasses import dataclass

from roomcad_core.config import Checked, setting
from roomcad_offline.rooms.sensors.kinds import KINDS
from roomcad_offline.rooms.themes import THEMES


@dataclass(frozen=True)
class RoomConfig(Checked):
    """What a set of simulated rooms is made from; equal configs give identical files."""

    library: str = setting(
        "", "folder of a CAD library, several with commas; empty = the built-in one"
    )
    rooms: int = setting(1, "number of rooms", 1, 100000)
    frames: int = setting(100, "frames of each room", 1, 100000)
    seed: int = setting(0, "seed of everything that is random", 0, 2**31 - 1)
    width: int = setting(640, "image width [px]", 32, 1920)
    height: int = setting(480, "image height [px]", 32, 1440)
    focal: float = setting(0.0, "focal length at 640 px width [px]; 0 = 525 to 580", 0.0, 2000.0)
    fps: float = setting(10.0, "frames per second of the camera stamps", 0.1, 120.0)
    speed: float = setting(0.45, "speed of the camera along its path [m/s]", 0.05, 3.0)
    viewpoint: str = setting("both", "camera height", choices=("both", "robot", "head"))
    theme: str = setting("any", "what kind of room", choices=("any", *THEMES))
    layouts: str = setting(
        "", "file of layouts of real rooms, followed instead of theme and furniture; empty = none"
    )
    furniture: int = setting(14, "pieces of furniture in a room at most", 1, 60)
    clutter: float = setting(1.0, "amount of things that are no furniture", 0.0, 3.0)
    scale_low: float = setting(0.85, "smallest size factor of a CAD axis", 0.2, 1.0)
    scale_high: float = setting(1.2, "largest size factor of a CAD axis", 1.0, 5.0)
    ceiling: bool = setting(True, "close the room with a ceiling")
    shadows: bool = setting(True, "lamps throw shadows")
    noise: bool = setting(True, "sensor noise in depth and colour")
    sensor: str = setting("any", "kind of depth camera", choices=("any", *KINDS))
