"""What to do when something happens; here only when a process ends."""

from launch.action import Action


class OnProcessExit:
    """Runs `on_exit` (entities, or a function of event and context) after a process ended.

    `target_action` is the ExecuteProcess or Node meant; None = any.
    """

    def __init__(self, *, target_action=None, on_exit):
        self.target_action = target_action
        self.on_exit = on_exit

    def matches(self, process):
        return self.target_action is None or self.target_action is process.action

    def entities(self, process, context):
        """Entities to visit now that `process` ended; it has a pid, name and returncode."""
        if callable(self.on_exit):
            return self.on_exit(process, context) or []
        return [self.on_exit] if isinstance(self.on_exit, Action) else self.on_exit


__all__ = ["OnProcessExit"]
