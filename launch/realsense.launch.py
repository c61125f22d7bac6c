"""perception.launch.py on the topics of a RealSense camera, with its driver realsense2_camera.

ros2 launch roomcad_ros realsense.launch.py rviz:=true
ros2 launch roomcad_ros realsense.launch.py driver:=false      # the camera runs already

Every argument of perception.launch.py works here too, and so do those of the driver's rs_launch.py,
for example serial_no or rgb_camera.color_profile:=640x480x30.
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
CAMERA = ["/", LaunchConfiguration("camera_namespace"), "/", LaunchConfiguration("camera_name")]

ARGUMENTS = (
    ("driver", "true", "true: start the camera's driver"),
    ("camera_namespace", "camera", "first part of the driver's topic names"),
    ("camera_name", "camera", "second part of the driver's topic names"),
    ("color", [*CAMERA, "/color/image_raw"], "colour image topic"),
    ("depth", [*CAMERA, "/aligned_depth_to_color/image_raw"], "depth registered to colour"),
    ("camera_info", [*CAMERA, "/color/camera_info"], "camera_info topic"),
    ("points", [*CAMERA, "/depth/color/points"], "PointCloud2 topic, used with input:=cloud"),
)


def generate_launch_description():
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, default, text in ARGUMENTS
    ]
    perception = include(HERE / "perception.launch.py")
    return LaunchDescription([*arguments, perception, OpaqueFunction(function=driver)])


def driver(context):
    """The camera's driver with depth registered to colour, if asked for."""
    if LaunchConfiguration("driver").perform(context) != "true":
        return []
    try:
        package = Path(get_package_share_directory("realsense2_camera"))
    except PackageNotFoundError as error:
        raise RuntimeError(
            "realsense2_camera is not installed: sudo apt install ros-jazzy-realsense2-camera, or "
            "run the driver elsewhere and give driver:=false"
        ) from error
    cloud = LaunchConfiguration("input").perform(context) == "cloud"
    given = {
        "align_depth.enable": "true",
        "enable_sync": "true",
        "pointcloud.enable": "true" if cloud else "false",
        "pointcloud.ordered_pc": "true",
    }
    # In a group, so that what the driver declares stays its own.
    return [GroupAction([include(package / "launch" / "rs_launch.py", given)])]


def include(path, given=None):
    """Another launch file, with arguments."""
    source = PythonLaunchDescriptionSource(str(path))
    return IncludeLaunchDescription(source, launch_arguments=(given or {}).items())
