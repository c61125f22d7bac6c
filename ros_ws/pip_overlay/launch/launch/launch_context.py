"""What a running launch file knows: arguments, environment, current file, processes."""

import os


class LaunchContext:
    """Handed to every action, condition and substitution.

    `launch_configurations` and `environment` are plain dicts; `push` and `pop` scope them.
    """

    def __init__(self, *, argv=None, noninteractive=False):
        self.argv = list(argv or [])
        self.launch_configurations = {}
        self.environment = dict(os.environ)
        self.event_handlers = []
        self.files = []  # launch files being read, innermost last
        self.start_process = None  # set by LaunchService
        self.shut_down = None  # set by LaunchService
        self._scopes = []

    def push(self):
        """Open a scope: changes to configurations and environment end with `pop`."""
        self._scopes.append((dict(self.launch_configurations), dict(self.environment)))

    def pop(self):
        """Close the innermost scope."""
        self.launch_configurations, self.environment = self._scopes.pop()

    def perform_substitution(self, sub):
        return sub.perform(self)
