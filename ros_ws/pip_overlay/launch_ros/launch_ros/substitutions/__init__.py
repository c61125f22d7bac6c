"""Substitutions about ROS packages."""

from ament_index_python.packages import get_package_prefix, get_package_share_directory
from launch.substitution import Substitution, text


class FindPackagePrefix(Substitution):
    """Install prefix of a package."""

    def __init__(self, package):
        self.package = package

    def perform(self, context):
        return get_package_prefix(text(context, self.package))


class FindPackageShare(FindPackagePrefix):
    """Share folder of a package."""

    def perform(self, context):
        return get_package_share_directory(text(context, self.package))


FindPackage = FindPackagePrefix

__all__ = ["FindPackage", "FindPackagePrefix", "FindPackageShare"]
