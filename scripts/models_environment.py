"""The Python environment in .venv-models: infinigen and Blender, which make CAD models."""

import os
import subprocess
import sys

import environment
from environment import REQUIREMENTS, ROOT
from steps import SetUpError, Steps, call, fingerprint

VENV = ROOT / ".venv-models"
PYTHON = VENV / "bin" / "python"
WANTED = REQUIREMENTS / "models.txt"
VERSION = (3, 11)  # the only one Blender 4.2 has a wheel for


def set_up():
    """Make or update the environment; returns how many steps had something to do."""
    got = sys.version_info[:2]
    if got != VERSION:
        raise SetUpError(
            f"got Python {got[0]}.{got[1]}, Blender's wheel needs {VERSION[0]}.{VERSION[1]}"
        )
    steps = Steps(VENV / "roomcad")
    key = fingerprint(str(VENV), sys.version, WANTED)
    steps.run("infinigen and Blender", key, install, intact=intact())
    return steps.ran


def install(log):
    """Install what the list says, and see whether Blender starts."""
    env = clean_environment()
    call([sys.executable, "-m", "venv", str(VENV)], log)
    command = [str(PYTHON), "-m", "pip", "install", "--progress-bar", "off", "--no-deps"]
    call([*command, "-r", str(WANTED)], log, env=env)
    call([str(PYTHON), "-I", "-c", "import bpy"], log, env=env)


def intact():
    """Whether the environment's Python finds what models are made with; nothing is imported."""
    code = "import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))"
    try:
        run = subprocess.run([PYTHON, "-I", "-c", code, "bpy", "infinigen"])
    except OSError:
        return False
    return run.returncode == 0


def clean_environment():
    """Environment variables without those of other Pythons."""
    return {k: v for k, v in os.environ.items() if k not in environment.FOREIGN}
