"""The action that starts a ROS node."""

import tempfile
from pathlib import Path

import yaml
from launch.actions import ExecuteProcess
from launch.substitution import text
from launch_ros.actions.scope import NAMESPACE, PARAMETERS, joined
from launch_ros.packages import find_executable
from launch_ros.parameter_descriptions import ParameterFile, evaluate


class Node(ExecuteProcess):
    """Starts the program `executable` of `package`.

    Args:
        name, namespace: instead of the node's own; None = as the program says.
        parameters: list of parameter files (path, substitution, ParameterFile) and of dicts;
            later ones win. Text of a substitution is read as YAML, plain strings stay strings.
        remappings: pairs (from, to).
        arguments, ros_arguments: further arguments, the latter after --ros-args.
        kwargs: as for ExecuteProcess.
    """

    def __init__(
        self,
        *,
        executable,
        package=None,
        name=None,
        namespace=None,
        exec_name=None,
        parameters=None,
        remappings=None,
        ros_arguments=None,
        arguments=None,
        **kwargs,
    ):
        super().__init__(cmd=[executable], name=exec_name or executable, **kwargs)
        self.package = package
        self.node_name = name
        self.node_namespace = namespace
        self.parameters = list(parameters or [])
        self.remappings = list(remappings or [])
        self.ros_arguments = list(ros_arguments or [])
        self.arguments = list(arguments or [])

    def command(self, context):
        program = text(context, self.cmd[0])
        if self.package is not None:
            program = find_executable(text(context, self.package), program)
        return [
            program,
            *(text(context, a) for a in self.arguments),
            "--ros-args",
            *(text(context, a) for a in self.ros_arguments),
            *self._names(context),
            *self._parameters(context),
            *self._remappings(context),
        ]

    def _names(self, context):
        above = context.launch_configurations.get(NAMESPACE, "")
        namespace = joined(above, text(context, self.node_namespace or ""))
        out = []
        if self.node_name is not None:
            out += ["-r", f"__node:={text(context, self.node_name)}"]
        if namespace:
            out += ["-r", f"__ns:=/{namespace.lstrip('/')}"]
        return out

    def _parameters(self, context):
        shared = yaml.safe_load(context.launch_configurations.get(PARAMETERS, "{}"))
        out = []
        for given in [shared, *self.parameters] if shared else self.parameters:
            if isinstance(given, dict):
                path = write_parameters(evaluate_all(context, given))
            else:
                path = parameter_file(context, given)
            out += ["--params-file", str(path)]
        return out

    def _remappings(self, context):
        pairs = [(text(context, a), text(context, b)) for a, b in self.remappings]
        return [word for a, b in pairs for word in ("-r", f"{a}:={b}")]


def evaluate_all(context, values):
    """Plain nested dict of a dict of parameters."""
    return {
        text(context, name): evaluate_all(context, value)
        if isinstance(value, dict)
        else evaluate(context, value)
        for name, value in values.items()
    }


def write_parameters(values):
    """Parameter file, for any node, of a nested dict."""
    with tempfile.NamedTemporaryFile("w", prefix="launch_params_", delete=False) as file:
        yaml.safe_dump({"/**": {"ros__parameters": values}}, file)
    return file.name


def parameter_file(context, given):
    """Path of a parameter file that exists."""
    path = Path(text(context, given.param_file if isinstance(given, ParameterFile) else given))
    if not path.is_file():
        raise FileNotFoundError(f"parameter file {path} does not exist")
    return path
