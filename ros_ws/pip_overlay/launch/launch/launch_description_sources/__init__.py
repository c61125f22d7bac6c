"""Sources of launch descriptions; only Python launch files here."""

from launch.launch_description_source import LaunchDescriptionSource


class PythonLaunchDescriptionSource(LaunchDescriptionSource):
    """`PythonLaunchDescriptionSource(path)`; the path may hold substitutions."""


__all__ = ["PythonLaunchDescriptionSource"]
