"""Substitutions of launch files."""

import os

from launch.substitution import Substitution, text


class TextSubstitution(Substitution):
    """Plain text."""

    def __init__(self, *, text):
        self.text = text

    def perform(self, context):
        return self.text


class LaunchConfiguration(Substitution):
    """Value of a launch argument; without `default` an unknown one is an error."""

    def __init__(self, variable_name, *, default=None):
        self.variable_name = variable_name
        self.default = default

    def perform(self, context):
        name = text(context, self.variable_name)
        if name in context.launch_configurations:
            return context.launch_configurations[name]
        if self.default is None:
            raise KeyError(f"launch configuration '{name}' does not exist")
        return text(context, self.default)


class EnvironmentVariable(Substitution):
    """Value of an environment variable; without `default_value` an unset one is an error."""

    def __init__(self, name, *, default_value=None):
        self.name = name
        self.default_value = default_value

    def perform(self, context):
        name = text(context, self.name)
        if name in context.environment:
            return context.environment[name]
        if self.default_value is None:
            raise KeyError(f"environment variable '{name}' does not exist")
        return text(context, self.default_value)


class PathJoinSubstitution(Substitution):
    """Path of its parts."""

    def __init__(self, substitutions):
        self.substitutions = list(substitutions)

    def perform(self, context):
        return os.path.join(*(text(context, part) for part in self.substitutions))


class ThisLaunchFile(Substitution):
    """Path of the launch file this stands in."""

    def perform(self, context):
        return str(context.files[-1])


class ThisLaunchFileDir(Substitution):
    """Folder of the launch file this stands in."""

    def perform(self, context):
        return str(context.files[-1].parent)


__all__ = [
    "EnvironmentVariable",
    "LaunchConfiguration",
    "PathJoinSubstitution",
    "TextSubstitution",
    "ThisLaunchFile",
    "ThisLaunchFileDir",
]
