"""pip_overlay: stand-ins for ROS packages, put into .venv only where the official is missing."""

import os
import shutil
import subprocess

from environment import PYTHON, ROOT, VENV, build_environment, is_ours

OVERLAY = ROOT / "ros_ws" / "pip_overlay"
COMMAND = VENV / "bin" / "ros2"
COMMAND_TEXT = """\
#!{python}
import sys

from ros2cli.cli import main

sys.exit(main())
"""


def parts():
    """Names of the packages in the overlay; none where its folder was removed."""
    if not OVERLAY.is_dir():
        return []
    return sorted(path.name for path in OVERLAY.iterdir() if path.is_dir())


def missing_parts(official):
    """Parts of the overlay whose official package is absent."""
    names = parts()
    code = (
        "import sys, importlib.util as u\n"
        "for name in sys.argv[1:]: spec = u.find_spec(name); print(spec and spec.origin or '')"
    )
    env = build_environment(official)
    # cwd: the root holds a folder `launch`, which Python would take for the package.
    run = subprocess.run(
        [PYTHON, "-c", code, *names], capture_output=True, text=True, env=env, cwd=VENV, check=True
    )
    origins = run.stdout.split("\n")
    return [n for n, at in zip(names, origins, strict=False) if not at or is_overlay(at)]


def is_overlay(origin):
    """Whether a module is one of our stand-ins (or a message package built from one)."""
    return is_ours(origin) and not is_ours_by_pip(origin)


def is_ours_by_pip(origin):
    return str(origin).startswith(f"{VENV}{os.sep}")


def install(missing, log):
    """Put the missing Python parts on .venv's path, and the `ros2` command if there is none."""
    site = next((VENV / "lib").glob("python3.*/site-packages"))
    path_file = site / "roomcad_overlay.pth"
    folders = [OVERLAY / name for name in missing if not is_message_package(name)]
    path_file.unlink(missing_ok=True)
    if folders:
        path_file.write_text("".join(f"{folder}\n" for folder in folders))
    others = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if not is_ours(p))
    COMMAND.unlink(missing_ok=True)
    if "ros2cli" in missing and shutil.which("ros2", path=others) is None:
        COMMAND.write_text(COMMAND_TEXT.format(python=PYTHON))
        COMMAND.chmod(0o755)


def is_message_package(name):
    """Whether colcon, not Python's path, brings this part."""
    return (OVERLAY / name / "package.xml").is_file()


def message_packages(missing):
    """Folders of the missing parts that colcon builds."""
    return [OVERLAY / name for name in missing if is_message_package(name)]
