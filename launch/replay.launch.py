"""Plays a dataset or bag into the perception nodes, and records what they find if asked.

    ros2 launch roomcad_ros replay.launch.py sequence:=FOLDER_OR_BAG rviz:=true record:=out_bag

Every other argument of perception.launch.py works here too.
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

HERE = Path(__file__).resolve().parent

ARGUMENTS = (
    ("sequence", None, "dataset folder, .sens file, or bag"),
    ("speed", "1.0", "1 = real time, 0 = as fast as it goes"),
    ("loop", "false", "true: start again at the end"),
    ("cloud", "false", "true: also publish an organised PointCloud2"),
    ("record", "", "bag folder to write the results into; empty = none"),
    ("use_sim_time", "true", "the nodes follow the replay's /clock"),
)
# Name inside the replay -> launch argument of perception.launch.py.
TOPICS = {
    "color/image_raw": "color",
    "depth/image_raw": "depth",
    "camera_info": "camera_info",
    "points": "points",
}


def generate_launch_description():
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, default, text in ARGUMENTS
    ]
    perception = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(HERE / "perception.launch.py"))
    )
    return LaunchDescription([*arguments, perception, OpaqueFunction(function=replay)])


def replay(context):
    """The replay, the recorder, and the end of everything when the replay is over."""

    def value(name):
        return LaunchConfiguration(name).perform(context)

    # camera_info goes to two nodes (segment, align) or to the one of all stages; and to a recorder.
    composed = value("composition") == "true"
    listeners = (1 if composed else 2) + bool(value("record"))
    arguments = [value("sequence"), "--speed", value("speed"), "--wait", str(listeners), "--clock"]
    if not composed:  # classify hears of the camera through segment only
        namespace = value("namespace").strip("/")
        arguments += ["--wait-topic", f"/{namespace}/objects" if namespace else "/objects"]
    arguments += [f"--{flag}" for flag in ("loop",) if value(flag) == "true"]
    arguments += ["--points"] if value("cloud") == "true" or value("input") == "cloud" else []
    player = Node(
        package="roomcad_ros",
        executable="replay",
        arguments=arguments,
        remappings=[(name, value(argument)) for name, argument in TOPICS.items()],
        output="screen",
    )
    over = OnProcessExit(target_action=player, on_exit=[EmitEvent(event=Shutdown())])
    return [*recorder(value), player, RegisterEventHandler(over)]


def recorder(value):
    """The recorder node, if asked for."""
    if not value("record"):
        return []
    remappings = [(n, value(n)) for n in ("alignments", "markers", "classified", "camera_info")]
    return [
        Node(
            package="roomcad_ros",
            executable="record",
            namespace=value("namespace"),
            arguments=[value("record")],
            parameters=[{"use_sim_time": value("use_sim_time") == "true"}],
            remappings=remappings,
            output="screen",
        )
    ]
