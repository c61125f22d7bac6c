"""Bags (rosbag2, sqlite3 and mcap) without ROS: through the pure-Python package `rosbags`."""
