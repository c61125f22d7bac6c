"""perception.launch.py on the topics of an Orbbec camera or an Azure Kinect, with its driver.

ros2 launch roomcad_ros orbbec.launch.py camera:=gemini_330_series rviz:=true
ros2 launch roomcad_ros orbbec.launch.py names:=azure driver:=false    # the camera runs already

Every argument of perception.launch.py works here too, and so do those of the driver's launch file.
"""

from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

HERE = Path(__file__).resolve().parent

ARGUMENTS = (
    ("driver", "true", "true: start the camera's driver"),
    ("names", "orbbec", "whose topic names: orbbec (orbbec_camera) or azure (Azure Kinect)"),
    ("camera", "femto_bolt", "Orbbec camera: femto_bolt, gemini_330_series, gemini2, astra, ..."),
    ("camera_name", "", "first part of the topic names; empty = camera for orbbec, none for azure"),
)
# Topic argument of perception.launch.py -> topic below the camera's name. Depth is registered.
TOPICS = {
    "orbbec": {
        "color": "color/image_raw",
        "depth": "depth/image_raw",
        "camera_info": "color/camera_info",
        "points": "depth_registered/points",
    },
    "azure": {
        "color": "rgb/image_raw",
        "depth": "depth_to_rgb/image_raw",
        "camera_info": "rgb/camera_info",
        "points": "points2",
    },
}
NAMES = {"orbbec": "camera", "azure": ""}
PACKAGES = {
    "orbbec": ("orbbec_camera", "https://github.com/orbbec/OrbbecSDK_ROS2"),
    "azure": ("azure_kinect_ros_driver", "https://github.com/microsoft/Azure_Kinect_ROS_Driver"),
}


def generate_launch_description():
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, default, text in ARGUMENTS
    ]
    perception = include(HERE / "perception.launch.py")
    functions = [OpaqueFunction(function=f) for f in (topics, driver)]
    return LaunchDescription([*arguments, functions[0], perception, functions[1]])


def topics(context):
    """The camera's topic names, as defaults of the arguments that perception.launch.py declares."""
    names = chosen(context)
    below = f"/{camera_name(context)}".rstrip("/")
    return [
        DeclareLaunchArgument(argument, default_value=f"{below}/{topic}", description=argument)
        for argument, topic in TOPICS[names].items()
    ]


def driver(context):
    """The camera's driver with depth registered to colour, if asked for."""
    if LaunchConfiguration("driver").perform(context) != "true":
        return []
    names = chosen(context)
    package, page = PACKAGES[names]
    try:
        folder = Path(get_package_share_directory(package)) / "launch"
    except PackageNotFoundError as error:
        raise RuntimeError(
            f"{package} is not installed: see {page}, or run the driver elsewhere and give "
            "driver:=false"
        ) from error
    camera = LaunchConfiguration("camera").perform(context)
    cloud = "true" if LaunchConfiguration("input").perform(context) == "cloud" else "false"
    file, given = {
        "orbbec": (
            f"{camera}.launch.py",
            {
                "camera_name": camera_name(context),
                "depth_registration": "true",
                "enable_colored_point_cloud": cloud,
            },
        ),
        "azure": ("driver.launch.py", {"point_cloud": cloud, "rgb_point_cloud": cloud}),
    }[names]
    # In a group, so that what the driver declares stays its own.
    return [GroupAction([include(folder / file, given)])]


def chosen(context):
    """The argument `names`, checked."""
    names = LaunchConfiguration("names").perform(context)
    if names not in TOPICS:
        raise ValueError(f"names: got '{names}', expected one of {', '.join(TOPICS)}")
    return names


def camera_name(context):
    """First part of the topic names, without slashes."""
    given = LaunchConfiguration("camera_name").perform(context)
    return (given or NAMES[chosen(context)]).strip("/")


def include(path, given=None):
    """Another launch file, with arguments."""
    source = PythonLaunchDescriptionSource(str(path))
    return IncludeLaunchDescription(source, launch_arguments=(given or {}).items())
