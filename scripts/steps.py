"""Set-up steps: each runs once for a given state of its inputs, in one printed line."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

TAIL = 40  # lines of a failed command's log that are shown


class SetUpError(Exception):
    """Set-up cannot go on; the text says what to do."""


def fingerprint(*parts):
    """Short hash of texts and of files' contents (Path)."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part.read_bytes() if isinstance(part, Path) else str(part).encode())
        total.update(b"\0")
    return total.hexdigest()[:16]


class Steps:
    """Runs steps that are not up to date; stamps and logs lie in `folder`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.ran = 0

    def run(self, name, key, action, intact=True):
        """Call `action(log)` unless the step ended well for `key` before and is `intact`."""
        stamp = self.folder / f"{name.replace(' ', '_')}.stamp"
        if intact and stamp.is_file() and stamp.read_text() == key:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        stamp.unlink(missing_ok=True)
        with timed(name):
            action(stamp.with_suffix(".log"))
        stamp.write_text(key)
        self.ran += 1


class timed:
    """Prints `[setup] NAME ... 48 s` around what it holds."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        print(f"[setup] {self.name} ... ", end="", flush=True)
        self.start = time.monotonic()

    def __exit__(self, kind, error, trace):
        took = time.monotonic() - self.start
        print(f"{took:.0f} s" if kind is None else f"failed after {took:.0f} s", flush=True)


def call(command, log, **options):
    """Run a command with its output in `log`; SetUpError shows the end of it."""
    with Path(log).open("a") as out:
        print("$", *command, file=out, flush=True)
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, **options)
    if done.returncode:
        lines = Path(log).read_text(errors="replace").splitlines()[-TAIL:]
        print("", *lines, sep="\n", file=sys.stderr)
        raise SetUpError(f"{Path(command[0]).name} failed; its whole output is in {log}")
