"""Stand-in for ROS 2's sensor_msgs_py where PyPI is all there is."""
