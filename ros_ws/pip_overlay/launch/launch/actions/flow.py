"""Actions that hold, include, make or end other actions."""

from launch.action import Action
from launch.actions.arguments import SetLaunchConfiguration
from launch.launch_context import LaunchContext
from launch.launch_description_source import LaunchDescriptionSource
from launch.substitution import text


class OpaqueFunction(Action):
    """Calls `function(context, *args, **kwargs)` and runs the entities it returns."""

    def __init__(self, *, function, args=None, kwargs=None, **left):
        super().__init__(**left)
        self.function = function
        self.args = args or []
        self.kwargs = kwargs or {}

    def execute(self, context):
        return self.function(context, *self.args, **self.kwargs)


class GroupAction(Action):
    """Actions under one condition; what they set ends with the group unless scoped=False."""

    def __init__(self, actions, *, scoped=True, launch_configurations=None, **kwargs):
        super().__init__(**kwargs)
        self.actions = list(actions)
        self.scoped = scoped
        self.launch_configurations = launch_configurations or {}

    def execute(self, context):
        values = self.launch_configurations.items()
        inside = [*(SetLaunchConfiguration(k, v) for k, v in values), *self.actions]
        if not self.scoped:
            return inside
        return [step(LaunchContext.push), *inside, step(LaunchContext.pop)]

    def get_sub_entities(self):
        return self.actions


class IncludeLaunchDescription(Action):
    """Runs another launch file with `launch_arguments`, pairs of name and value."""

    def __init__(self, launch_description_source, *, launch_arguments=None, **kwargs):
        super().__init__(**kwargs)
        source = launch_description_source
        if not isinstance(source, LaunchDescriptionSource):
            source = LaunchDescriptionSource(source)
        self.source = source
        self.launch_arguments = list(launch_arguments or [])

    def execute(self, context):
        path = self.source.get_path(context)
        return [
            *(SetLaunchConfiguration(name, value) for name, value in self.launch_arguments),
            step(lambda inner: inner.files.append(path)),
            self.source.get_launch_description(context),
            step(lambda inner: inner.files.pop()),
        ]

    def get_sub_entities(self):
        """Those of the other file, where its path is known before anything runs."""
        where = self.source.location
        return [self.source.get_launch_description(None)] if isinstance(where, str) else []


class LogInfo(Action):
    """Prints a message."""

    def __init__(self, *, msg, **kwargs):
        super().__init__(**kwargs)
        self.msg = msg

    def execute(self, context):
        print(f"[INFO] [launch.user]: {text(context, self.msg)}", flush=True)


class Shutdown(Action):
    """Ends the launch; `on_exit=Shutdown()` makes a process a required one."""

    def __init__(self, *, reason="reason not given", **kwargs):
        super().__init__(**kwargs)
        self.reason = reason

    def execute(self, context):
        context.shut_down(text(context, self.reason))


class RegisterEventHandler(Action):
    """Makes an event handler effective from here on."""

    def __init__(self, event_handler, **kwargs):
        super().__init__(**kwargs)
        self.event_handler = event_handler

    def execute(self, context):
        context.event_handlers.append(self.event_handler)


class EmitEvent(Action):
    """Emits an event; only launch.events.Shutdown is known here."""

    def __init__(self, *, event, **kwargs):
        super().__init__(**kwargs)
        self.event = event

    def execute(self, context):
        context.shut_down(text(context, self.event.reason))


def step(function):
    """Action that calls `function(context)`."""

    def run(context):
        function(context)

    return OpaqueFunction(function=run)
