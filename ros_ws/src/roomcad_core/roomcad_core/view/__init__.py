"""Results as an MCAP recording with Foxglove's schemas, to look at on a machine without ROS."""
