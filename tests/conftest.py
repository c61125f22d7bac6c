"""Shared by all tests: ROS stays on this machine, and every pytest process in a domain of its own.

Set at import, because rclpy reads both when it is imported or initialised.
"""

import os

os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
# 1..100: higher domains reach into the ports that the system hands out.
os.environ["ROS_DOMAIN_ID"] = str(1 + (os.getpid() * 7 - 1) % 100)
