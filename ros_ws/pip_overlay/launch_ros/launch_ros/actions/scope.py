"""Settings for all nodes that follow in the same group."""

import yaml
from launch.action import Action
from launch.substitution import text
from launch_ros.parameter_descriptions import evaluate

NAMESPACE = "ros_namespace"
PARAMETERS = "ros_parameters"


class PushRosNamespace(Action):
    """Puts the nodes that follow below a namespace."""

    def __init__(self, namespace, **kwargs):
        super().__init__(**kwargs)
        self.namespace = namespace

    def execute(self, context):
        above = context.launch_configurations.get(NAMESPACE, "")
        context.launch_configurations[NAMESPACE] = joined(above, text(context, self.namespace))


class SetParameter(Action):
    """Gives the nodes that follow a parameter."""

    def __init__(self, name, value, **kwargs):
        super().__init__(**kwargs)
        self.name = name
        self.value = value

    def execute(self, context):
        values = yaml.safe_load(context.launch_configurations.get(PARAMETERS, "{}"))
        values[text(context, self.name)] = evaluate(context, self.value)
        context.launch_configurations[PARAMETERS] = yaml.safe_dump(values)


def joined(above, below):
    """Namespace `below` inside namespace `above`; a leading slash starts from the root."""
    if below.startswith("/") or not above:
        return below.rstrip("/")
    return f"{above.rstrip('/')}/{below}".rstrip("/")
