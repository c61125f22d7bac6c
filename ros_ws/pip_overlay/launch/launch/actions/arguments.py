"""Actions that declare and set values."""

from launch.action import Action
from launch.substitution import text


class DeclareLaunchArgument(Action):
    """An argument of the launch file; without `default_value` it must be given."""

    def __init__(self, name, *, default_value=None, description=None, choices=None, **kwargs):
        super().__init__(**kwargs)
        self.name = name
        self.default_value = default_value
        self.description = description or "no description given"
        self.choices = choices

    def execute(self, context):
        if self.name not in context.launch_configurations:
            if self.default_value is None:
                raise RuntimeError(f"required launch argument '{self.name}' was not given")
            context.launch_configurations[self.name] = text(context, self.default_value)
        value = context.launch_configurations[self.name]
        if self.choices is not None and value not in self.choices:
            raise RuntimeError(
                f"launch argument '{self.name}': got '{value}', expected one of {self.choices}"
            )


class SetLaunchConfiguration(Action):
    """Sets the value LaunchConfiguration reads."""

    def __init__(self, name, value, **kwargs):
        super().__init__(**kwargs)
        self.name = name
        self.value = value

    def execute(self, context):
        context.launch_configurations[text(context, self.name)] = text(context, self.value)


class SetEnvironmentVariable(Action):
    """Sets an environment variable of the processes started after it in its scope."""

    def __init__(self, name, value, **kwargs):
        super().__init__(**kwargs)
        self.name = name
        self.value = value

    def execute(self, context):
        context.environment[text(context, self.name)] = text(context, self.value)
