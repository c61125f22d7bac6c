"""One child process of a launch: started in a session of its own, output labelled."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
STOP_INTERVAL = 5.0  # seconds between two of them


class Process:
    """A program, its settings, and its life; see ExecuteProcess for the settings."""

    def __init__(self, *, action, cmd, name, cwd, env, output, respawn, respawn_delay):
        if output not in ("screen", "log", "both"):
            raise ValueError(f"output of {name}: got {output!r}, expected screen, log or both")
        self.cmd, self.name, self.cwd, self.env = cmd, name, cwd, env
        self.output, self.respawn, self.respawn_delay = output, respawn, respawn_delay
        self.action = action
        self.child = None
        self.start_at = None  # time a respawn is due
        self._stopping_since = None
        self._signals_sent = 0
        self._rest = {}

    def start(self):
        """Start the program; FileNotFoundError where there is none."""
        program = shutil.which(self.cmd[0], path=self.env.get("PATH"))
        if program is None:
            raise FileNotFoundError(f"{self.name}: program {self.cmd[0]!r} was not found")
        self.child = subprocess.Popen(
            [*tied_to_parent(), program, *self.cmd[1:]],
            cwd=self.cwd,
            env={"PYTHONUNBUFFERED": "1", **self.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        for pipe in (self.child.stdout, self.child.stderr):
            os.set_blocking(pipe.fileno(), False)
        self.start_at = None
        self._rest = {self.child.stdout: b"", self.child.stderr: b""}
        self.say(f"process started with pid [{self.child.pid}]")
        return self.child.stdout, self.child.stderr

    @property
    def pid(self):
        return self.child.pid

    @property
    def returncode(self):
        return self.child.returncode

    def say(self, message, level="INFO"):
        print(f"[{level}] [{self.name}]: {message}", flush=True)

    def forward(self, pipe):
        """Pass on what a pipe holds, whole lines at a time; False where there is no more."""
        try:
            data = os.read(pipe.fileno(), 65536)
        except BlockingIOError:  # only when draining: something that outlived us keeps it open
            data = b""
        *lines, self._rest[pipe] = (self._rest[pipe] + data).split(b"\n")
        if not data and self._rest[pipe]:
            lines.append(self._rest[pipe])
        for line in lines:
            self._write(line, is_error=pipe is self.child.stderr)
        return bool(data)

    def _write(self, line, is_error):
        if self.output != "log" or is_error:
            out = sys.stderr if is_error else sys.stdout
            print(f"[{self.name}] {line.decode(errors='replace')}", file=out, flush=True)
        if self.output != "screen":
            with log_file(self.name, self.env).open("ab") as log:
                log.write(line + b"\n")

    def stop(self):
        """Send the next stop signal if it is due: SIGINT, 5 s later SIGTERM, then SIGKILL."""
        now = time.monotonic()
        self._stopping_since = self._stopping_since or now
        due = min(int((now - self._stopping_since) / STOP_INTERVAL) + 1, len(STOP_SIGNALS))
        while self._signals_sent < due:
            chosen = STOP_SIGNALS[self._signals_sent]
            if self._signals_sent:
                self.say(f"did not end, sending {chosen.name}", "WARNING")
            self.signal_group(chosen)
            self._signals_sent += 1

    def signal_group(self, number):
        """Signal the program and everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, number)


def tied_to_parent():
    """Command prefix that ends the program when the launch itself is killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []


def log_file(name, env):
    """Log file of a process, in the folder ROS 2 logs to."""
    home = env.get("ROS_HOME") or Path.home() / ".ros"
    folder = Path(env.get("ROS_LOG_DIR") or Path(home) / "log")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}_launch_{os.getpid()}.log"
