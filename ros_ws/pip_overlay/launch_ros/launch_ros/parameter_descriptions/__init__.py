"""Parameters of nodes as launch files write them."""

import yaml
from launch.substitution import Substitution, text


class ParameterValue:
    """A value with its type: `ParameterValue(LaunchConfiguration("id"), value_type=str)`."""

    def __init__(self, value, *, value_type=None):
        self.value = value
        self.value_type = value_type


class ParameterFile:
    """A parameter file; `$(...)` inside of it is not replaced here."""

    def __init__(self, param_file, *, allow_substs=False):
        if allow_substs:
            raise NotImplementedError("allow_substs needs the official launch_ros")
        self.param_file = param_file


def evaluate(context, value):
    """Plain value of a parameter: text of a substitution is read as YAML."""
    if isinstance(value, ParameterValue):
        return typed(context, value)
    if isinstance(value, Substitution):
        return yaml.safe_load(text(context, value))
    if isinstance(value, (list, tuple)):
        if any(isinstance(part, Substitution) for part in value):
            return yaml.safe_load(text(context, value))
        return list(value)
    return value


def typed(context, parameter):
    """Plain value of a ParameterValue; ValueError where it is not of its type."""
    value, kind = parameter.value, parameter.value_type
    if kind is str:
        return text(context, value)
    value = evaluate(context, value)
    if kind is float and type(value) is int:
        value = float(value)
    if kind in (bool, int, float) and type(value) is not kind:
        raise ValueError(f"parameter value: got {value!r}, expected a {kind.__name__}")
    return value


__all__ = ["ParameterFile", "ParameterValue"]
