"""RGB-D or colour topics to CAD alignments: segment, classify, align (and RViz, or Foxglove).

ros2 launch roomcad_ros perception.launch.py rviz:=true
ros2 launch roomcad_ros perception.launch.py --show-args
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

HERE = Path(__file__).resolve().parent

# Name, default and description. The default topics are those of roomcad's own bags.
ARGUMENTS = (
    ("color", "/camera/color/image_raw", "colour image topic"),
    ("depth", "/camera/depth/image_raw", "depth image topic, registered to colour"),
    ("camera_info", "/camera/color/camera_info", "camera_info topic"),
    ("points", "/camera/depth/points", "PointCloud2 topic, used with input:=cloud"),
    ("objects", "objects", "segmented objects topic"),
    ("classified", "classified", "named objects topic"),
    ("alignments", "alignments", "results topic"),
    ("markers", "markers", "RViz markers topic"),
    ("input", "", "images, cloud, or rgb: colour alone; empty = as the parameter file says"),
    ("color_transport", "", "raw or compressed; empty = as the parameter file says"),
    ("depth_transport", "", "raw, compressedDepth or compressed; empty = as the parameter file"),
    ("detector", "", "finds objects in colour, e.g. yolox_s; empty = as the parameter file says"),
    ("detector_masks", "", "SAM for its boxes, e.g. mobile_sam; empty = as the parameter file"),
    ("library", "", "folder of a built CAD library; empty = the built-in one"),
    ("model", "", "deployed, baseline, box_size, ...; empty = as the parameter file says"),
    ("aligner", "", "multi_sparc, or the baseline icp; empty = as the parameter file says"),
    ("engine", "", "inference engine; empty = as the parameter file says"),
    ("tracks", "", "follow objects over frames, true or false; empty = as the parameter file says"),
    ("track_frames", "", "prefix of the TF frames of tracks; empty = as the parameter file says"),
    ("composition", "false", "true: all stages in one process"),
    ("use_sim_time", "false", "take the time from /clock"),
    ("params_file", str(HERE / "params.yaml"), "parameters of all nodes"),
    ("namespace", "", "namespace of the nodes"),
    ("log_level", "info", "debug, info, warn, error"),
    ("respawn", "false", "true: start a node again that died"),
    ("rviz", "false", "true: open RViz"),
    ("rviz_config", str(HERE / "roomcad.rviz"), "what RViz shows"),
    ("rviz_frame", "", "fixed frame of RViz; empty = as its configuration says"),
    ("foxglove", "false", "true: start foxglove_bridge, and send meshes inside the markers"),
)
# Topic argument -> name inside the nodes.
TOPICS = {
    "color": "color/image_raw",
    "depth": "depth/image_raw",
    "camera_info": "camera_info",
    "points": "points",
    "objects": "objects",
    "classified": "classified",
    "alignments": "alignments",
    "markers": "markers",
}


def generate_launch_description():
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, default, text in ARGUMENTS
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=nodes)])


def nodes(context):
    """The nodes that the arguments ask for."""
    value = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    sim_time = {"use_sim_time": is_true(value["use_sim_time"])}
    one_process = is_true(value["composition"])
    stages = ("pipeline",) if one_process else ("segment", "classify", "align")
    out = [stage_node(stage, value, sim_time) for stage in stages]
    out += [rviz(value, sim_time)] if is_true(value["rviz"]) else []
    out += [foxglove(sim_time)] if is_true(value["foxglove"]) else []
    return out


def rviz(value, sim_time):
    """RViz with the namespace and the topic names of the nodes."""
    frame = ["-f", value["rviz_frame"]] if value["rviz_frame"] else []
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=value["namespace"],
        arguments=["-d", value["rviz_config"], *frame],
        parameters=[sim_time],
        remappings=remappings(value),
    )


def foxglove(sim_time):
    """What Foxglove connects to (ws://localhost:8765)."""
    return Node(package="foxglove_bridge", executable="foxglove_bridge", parameters=[sim_time])


def stage_node(stage, value, sim_time):
    """One node; an argument left empty leaves the parameter file, and the default, alone."""
    given = {
        "input": value["input"],
        "color_transport": value["color_transport"],
        "depth_transport": value["depth_transport"],
        "segment.detector": value["detector"],
        "segment.detector_masks": value["detector_masks"],
        "library": value["library"],
        "classify.model": value["model"],
        "align.aligner": value["aligner"],
        "classify.engine": value["engine"],
        "align.engine": value["engine"],
        "track_frames": value["track_frames"],
    }
    given = {name: text for name, text in given.items() if text}
    if value["tracks"]:
        given["tracks.enabled"] = is_true(value["tracks"])
    if is_true(value["foxglove"]):
        given["markers.embed"] = True
    return Node(
        package="roomcad_ros",
        executable=f"{stage}_node",
        name=stage,
        namespace=value["namespace"],
        parameters=[value["params_file"], given | sim_time],
        remappings=remappings(value),
        arguments=["--ros-args", "--log-level", value["log_level"]],
        respawn=is_true(value["respawn"]),
        respawn_delay=1.0,
        output="screen",
    )


def remappings(value):
    """Pairs of topic names: inside the nodes, outside."""
    return [(name, value[argument]) for argument, name in TOPICS.items()]


def is_true(text):
    """A launch argument as a switch; anything but true and false is an error."""
    if text.lower() not in ("true", "false"):
        raise ValueError(f"got '{text}', expected true or false")
    return text.lower() == "true"
