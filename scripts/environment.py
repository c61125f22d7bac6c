"""The Python environment in .venv: made, checked, and given its packages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from steps import SetUpError, call, fingerprint

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RECORDS = VENV / "roomcad"  # stamps and logs of the set-up
BUSY = RECORDS / "pip_is_running"  # left over = pip was interrupted
REQUIREMENTS = ROOT / "requirements"
PACKAGES = (ROOT / "ros_ws/src/roomcad_core", ROOT / "offline")
# What other ROS environments leave behind; it would mix two of them.
FOREIGN = (
    "AMENT_PREFIX_PATH",
    "CMAKE_PREFIX_PATH",
    "COLCON_PREFIX_PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "_ROS_WHEELS_BOOTSTRAP_COMPLETE",
)


def official_ros():
    """Whether an official ROS is sourced, with an rclpy that its Python can import."""
    if not os.environ.get("ROS_DISTRO"):
        return False
    test = [sys.executable, "-c", "import rclpy"]
    found = subprocess.run(test, capture_output=True).returncode == 0
    if not found:
        print(
            f"[setup] note: ROS {os.environ['ROS_DISTRO']} is sourced, but {sys.executable} cannot "
            "import its rclpy; using ROS 2 wheels"
        )
    return found


def is_ours(path):
    return path is not None and Path(path).is_relative_to(ROOT)


def build_environment(official):
    """Environment variables for programs of .venv."""
    env = dict(os.environ)
    if not official:
        for name in FOREIGN:
            env.pop(name, None)
        env["AMENT_PREFIX_PATH"] = env["CMAKE_PREFIX_PATH"] = str(VENV)
    env["VIRTUAL_ENV"] = str(VENV)
    env["PATH"] = f"{VENV / 'bin'}:{env['PATH']}"
    return env


def why_unusable(official):
    """Why .venv has to be made anew; empty = it is fine."""
    if not VENV.exists():
        return "there is none"
    if BUSY.exists():
        return "its installation was interrupted"
    code = "import sys, pip; print(sys.prefix, '%d.%d' % sys.version_info[:2])"
    env = build_environment(official)
    try:
        run = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, env=env)
        pip_start = (VENV / "bin" / "pip").read_text()[:1000]
    except OSError:
        return "it is broken"
    want = f"{VENV} {sys.version_info.major}.{sys.version_info.minor}"
    if run.returncode or run.stdout.strip() != want or f"{VENV}/bin/" not in pip_start:
        return f"it is broken, was moved, or has another Python than {sys.executable}"
    shared = "include-system-site-packages = true" in (VENV / "pyvenv.cfg").read_text()
    if shared != official:
        return f"official ROS {'is' if official else 'is not'} sourced this time"
    return ""


def create(official):
    """Make .venv from nothing."""
    shutil.rmtree(VENV, ignore_errors=True)
    options = ["--system-site-packages"] if official else []
    RECORDS.mkdir(parents=True)
    BUSY.touch()
    call([sys.executable, "-m", "venv", *options, str(VENV)], RECORDS / "environment.log")
    BUSY.unlink()


def requirement_files(official):
    """What `pip install` gets, and the constraints that go with it."""
    if official:
        return [REQUIREMENTS / "robot.txt", REQUIREMENTS / "dev.txt"], []
    names = ("core.txt", "ros.txt", "dev.txt")
    return [REQUIREMENTS / name for name in names], [REQUIREMENTS / "constraints.txt"]


def install(files, constraints, official, log):
    """Install requirement files into .venv."""
    command = [str(PYTHON), "-m", "pip", "install", "--progress-bar", "off"]
    command += ["--disable-pip-version-check"]
    for flag, paths in (("-r", files), ("-c", constraints)):
        command += [word for path in paths for word in (flag, str(path))]
    BUSY.touch()
    try:
        call(command, log, env=build_environment(official))
    except SetUpError:  # pip came to an end by itself and left nothing half done
        BUSY.unlink()
        raise
    BUSY.unlink()


def install_editable(official, log):
    """Install roomcad's own pip packages so that edits need no reinstalling."""
    command = [str(PYTHON), "-m", "pip", "install", "--no-deps", "--no-build-isolation"]
    command += [word for folder in PACKAGES if folder.is_dir() for word in ("-e", str(folder))]
    call(command, log, env=build_environment(official))


def editable_key():
    """Changes where the metadata of roomcad's own pip packages does."""
    names = ("setup.py", "package.xml", "pyproject.toml")
    files = [folder / name for folder in PACKAGES for name in names]
    return fingerprint(str(ROOT), *(path for path in files if path.is_file()))


def has_modules(modules, official):
    """Whether .venv finds all these modules; none is imported."""
    code = "import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))"
    command = [PYTHON, "-c", code, *modules]
    return subprocess.run(command, env=build_environment(official)).returncode == 0
