"""Settings that only exist on a robot; the stages take theirs from roomcad_core.config."""

from __future__ import annotations

from dataclasses import dataclass

from roomcad_core.config import (
    AlignConfig,
    Checked,
    ClassifyConfig,
    RgbConfig,
    SegmentConfig,
    TrackConfig,
    setting,
)


@dataclass(frozen=True)
class NodeConfig(Checked):
    """What every node has."""

    autostart: bool = setting(True, "configure and activate on start-up")
    diagnostics_period: float = setting(1.0, "seconds between two /diagnostics", 0.1, 60.0)
    warn_period: float = setting(5.0, "least seconds between two equal warnings", 0.1, 600.0)
    silence: float = setting(3.0, "seconds without a frame before a warning", 0.2, 600.0)
    clock_jump: float = setting(
        TrackConfig.clock_jump, "stamps that go back by less are only late [s]", 0.0, 60.0
    )
    clock_leap: float = setting(60.0, "a lone stamp farther ahead is dropped [s]", 1.0, 1e6)


@dataclass(frozen=True)
class InputConfig(Checked):
    """Where frames come from and when they are refused."""

    input: str = setting(
        "images",
        "what frames are made of: colour and depth images, a cloud, or colour alone (rgb)",
        choices=("images", "cloud", "rgb"),
    )
    color_transport: str = setting(
        "raw", "how colour images come; compressed: JPEG or PNG", choices=("raw", "compressed")
    )
    depth_transport: str = setting(
        "raw",
        "how depth images come; the others: PNG, with or without the head of compressedDepth",
        choices=("raw", "compressedDepth", "compressed"),
    )
    sync_slop: float = setting(0.02, "stamps of one frame differ at most so much [s]", 0.0, 1.0)
    sync_queue: int = setting(60, "messages of a topic that wait for their partners", 1, 1000)
    max_age: float = setting(5.0, "older frames are dropped [s]; 0 = never", 0.0, 60.0)
    world_frame: str = setting("map", "fixed z-up frame of the results")
    fallback_frame: str = setting("odom", "used where the world frame is not known")
    tf_timeout: float = setting(0.1, "wait for the transform of a frame's stamp [s]", 0.0, 5.0)

    @property
    def of_pipeline(self):
        """The input of PipelineConfig: a cloud is another form of colour and depth."""
        return "rgb" if self.input == "rgb" else "rgbd"


# What a node reads once, when it is activated.
NODE_FIXED = ("autostart",)
INPUTS_FIXED = (
    "input",
    "color_transport",
    "depth_transport",
    "sync_slop",
    "sync_queue",
    "world_frame",
    "fallback_frame",
)


@dataclass(frozen=True)
class LibraryConfig(Checked):
    """Which CAD library."""

    library: str = setting("", "folder of a built CAD library; empty = the built-in one")


@dataclass(frozen=True)
class MarkerConfig(Checked):
    """How alignments are drawn."""

    min_score: float = setting(0.0, "alignments below this score are not drawn", 0.0, 1.0)
    min_opacity: float = setting(0.25, "opacity of score 0; score 1 is opaque", 0.0, 1.0)
    text: bool = setting(True, "write class and score above each model")
    box: bool = setting(False, "draw the box around each model")
    embed: bool = setting(
        False, "send the meshes themselves, not file names: for Foxglove and other machines"
    )


@dataclass(frozen=True)
class RoomConfig(Checked):
    """What else is made of tracks; needs tracks.enabled."""

    track_frames: str = setting("", "TF frames of tracks: this and the track's id; empty = none")
    scene_folder: str = setting("~/.ros/roomcad", "folder that ~/save_scene saves rooms in")


# Config class -> prefix of its ROS parameters. One parameter file serves all nodes.
PREFIXES = {
    NodeConfig: "",
    InputConfig: "",
    LibraryConfig: "",
    RgbConfig: "rgb.",
    SegmentConfig: "segment.",
    ClassifyConfig: "classify.",
    AlignConfig: "align.",
    TrackConfig: "tracks.",
    MarkerConfig: "markers.",
    RoomConfig: "",
}
