"""The nodes as `ros2 launch` starts them, each a process of its own: for measurements and tests."""

import os
import signal
import subprocess
from pathlib import Path

from ament_index_python.packages import get_package_share_directory

# What the topics are called inside the nodes, so that replay and tests need no remapping.
TOPICS = {
    "color": "/color/image_raw",
    "depth": "/depth/image_raw",
    "camera_info": "/camera_info",
    "points": "/points",
}


class Stack:
    """perception.launch.py at work; `stop`, or the end of a with block, ends all of it.

    `arguments`: {launch argument: text}; `log`: file that gets what the nodes print, None = here.
    """

    def __init__(self, arguments, environment=None, log=None):
        share = Path(get_package_share_directory("roomcad_ros"))
        given = [f"{name}:={value}" for name, value in (TOPICS | dict(arguments)).items()]
        self._log = log and Path(log).open("w")  # noqa: SIM115  closed by stop
        self._launch = subprocess.Popen(
            ["ros2", "launch", str(share / "launch" / "perception.launch.py"), *given],
            env={**os.environ, **(environment or {})},
            stdout=self._log,
            stderr=subprocess.STDOUT if self._log else None,
            start_new_session=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def pids(self):
        """{node: process id} of the nodes that live, such as "segment"."""
        found = {}
        for pid in descendants(self._launch.pid):
            for word in command(pid):
                name = Path(word).name
                if name.endswith("_node"):
                    found[name.removesuffix("_node")] = pid
        return found

    def stop(self):
        """End all nodes."""
        if self._launch.poll() is None:
            self._launch.send_signal(signal.SIGINT)
            try:
                self._launch.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._launch.pid, signal.SIGKILL)
                self._launch.wait()
        if self._log:
            self._log.close()


def descendants(pid):
    """Process ids below a process."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    children = [int(word) for word in text.split()]
    return children + [below for child in children for below in descendants(child)]


def command(pid):
    """The words of a process's command line; [] where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def resident_mb(pid):
    """Memory of a process [MB] that no other process shares; None where it is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return None
    kb = [int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_")]
    return sum(kb) / 1024
