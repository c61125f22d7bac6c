"""Stand-in for ROS 2's launch_ros where PyPI is all there is: nodes in launch files.

Holds what roomcad's launch files use, with the names and signatures of the official package.
"""
