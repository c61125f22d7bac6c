"""How data are read: the only place where a reading default is written."""

from dataclasses import dataclass

from roomcad_core.config import Checked, setting
from roomcad_core.datasets.world import UP_CHOICES


@dataclass(frozen=True)
class ReadConfig(Checked):
    """Options of open_dataset; each reader uses those that concern it."""

    up: str = setting("auto", "axis of the recorded world that points up", choices=UP_CHOICES)
    bad: str = setting(
        "raise", "what a damaged frame does when iterating", choices=("raise", "skip")
    )
    fps: float = setting(30.0, "frame rate where the data carry no stamps [1/s]", 0.01, 1000.0)
    depth_scale: float = setting(1000.0, "depth image units in a metre (folders)", 1.0, 1e5)
    color_topic: str = setting("", "colour image topic of a bag; empty = found by encoding")
    depth_topic: str = setting("", "depth image topic of a bag; empty = found by encoding")
    cloud_topic: str = setting("", "organised PointCloud2 topic, used instead of images")
    info_topic: str = setting("", "CameraInfo topic; empty = the one beside the depth topic")
    world_frame: str = setting("", "TF frame of the world; empty = map, odom or world")
    slop: float = setting(0.02, "largest stamp difference of colour and depth [s]", 0.0, 1.0)
    max_tf_gap: float = setting(
        1.0, "TF samples further apart are not interpolated: pose unknown [s]", 0.0, 60.0
    )
