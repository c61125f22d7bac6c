"""Actions about ROS nodes."""

from launch_ros.actions.node import Node
from launch_ros.actions.scope import PushRosNamespace, SetParameter

__all__ = ["Node", "PushRosNamespace", "SetParameter"]
