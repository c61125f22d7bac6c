"""Stand-in for ROS 2's launch where PyPI is all there is: runs real Python launch files.

Holds what roomcad's launch files use, with the names and signatures of the official package.
"""

from launch.action import Action
from launch.condition import Condition
from launch.launch_context import LaunchContext
from launch.launch_description import LaunchDescription
from launch.launch_description_source import LaunchDescriptionSource
from launch.launch_service import LaunchService
from launch.substitution import Substitution

__all__ = [
    "Action",
    "Condition",
    "LaunchContext",
    "LaunchDescription",
    "LaunchDescriptionSource",
    "LaunchService",
    "Substitution",
]
