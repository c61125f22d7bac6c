"""The action that starts a program."""

from launch.action import Action
from launch.event_handlers import OnProcessExit
from launch.process import Process
from launch.substitution import boolean, text


class ExecuteProcess(Action):
    """Starts a program.

    Args:
        cmd: list of arguments; each may be a substitution or a list to be joined.
        name: what its output is labelled with; None = the program's name.
        cwd: working directory; None = this one.
        env, additional_env: environment instead of, or on top of, the inherited one.
        output: 'screen', 'both' (screen and log file) or 'log' (file; stderr also on screen).
        respawn, respawn_delay: start it again when it ends, after that many seconds.
        on_exit: action or list of actions to run when it ends.
    """

    def __init__(
        self,
        *,
        cmd,
        name=None,
        cwd=None,
        env=None,
        additional_env=None,
        output="log",
        respawn=False,
        respawn_delay=None,
        on_exit=None,
        emulate_tty=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.cmd = cmd
        self.name = name
        self.cwd = cwd
        self.env = env
        self.additional_env = additional_env or {}
        self.output = output
        self.respawn = respawn
        self.respawn_delay = respawn_delay or 0.0
        self.on_exit = on_exit or []

    def execute(self, context):
        cmd = self.command(context)
        context.start_process(
            Process(
                action=self,
                cmd=cmd,
                name=text(context, self.name) if self.name else cmd[0].rsplit("/", 1)[-1],
                cwd=None if self.cwd is None else text(context, self.cwd),
                env=self.environment(context),
                output=text(context, self.output),
                respawn=boolean(context, self.respawn),
                respawn_delay=self.respawn_delay,
            )
        )
        if self.on_exit:
            ended = OnProcessExit(target_action=self, on_exit=self.on_exit)
            context.event_handlers.append(ended)

    def command(self, context):
        """The final list of arguments."""
        return [text(context, part) for part in self.cmd]

    def environment(self, context):
        """The final environment."""
        base = context.environment if self.env is None else pairs(context, self.env)
        return {**base, **pairs(context, self.additional_env)}


def pairs(context, values):
    """Dict of text of a dict of substitutions."""
    return {text(context, k): text(context, v) for k, v in values.items()}
