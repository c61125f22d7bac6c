"""The colcon workspace in ros_ws: built where its sources changed, package by package."""

import json
import shutil

from environment import PYTHON, ROOT, build_environment
from steps import SetUpError, call, fingerprint, timed

WORKSPACE = ROOT / "ros_ws"
STAMP = WORKSPACE / "install" / "roomcad_built.json"
COLCON = "import sys; from colcon_core.command import main; sys.exit(main())"


def packages(extra):
    """Folders of all packages: ros_ws/src and `extra`."""
    return sorted(path.parent for path in (WORKSPACE / "src").glob("*/package.xml")) + extra


def package_key(folder):
    """Changes where a build is due: content of metadata and messages, names of the rest.

    Python files are linked, not copied, so that editing them needs no build.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and is_source(path))
    built = [p for p in files if p.suffix in (".xml", ".txt", ".msg", ".srv", ".cfg")]
    built += [p for p in files if p.name == "setup.py"]
    linked = sorted((ROOT / "launch").glob("*")) if (folder / "setup.cfg").is_file() else []
    names = [str(path.relative_to(ROOT)) for path in (*files, *linked) if path.suffix != ".py"]
    return fingerprint(*names, *(p.name for p in linked), *built)


def is_source(path):
    return not any(part == "__pycache__" or part.endswith(".egg-info") for part in path.parts)


def build(extra, environment_key, official):
    """Build the packages that changed; returns their names."""
    done = read_stamp()
    if done and done.get("environment") != environment_key:
        done = {}
        clean()
    done["environment"] = environment_key
    keys = {folder: package_key(folder) for folder in packages(extra)}
    changed = [f for f, key in keys.items() if done.get(f.name) != key or not installed(f.name)]
    if changed:
        names = [folder.name for folder in changed]
        with timed(f"ROS workspace ({', '.join(names)})"):
            build_or_retry(list(keys), names, official)
        done.update({folder.name: keys[folder] for folder in changed})
        STAMP.write_text(json.dumps(done, indent=1))
    return [folder.name for folder in changed]


def read_stamp():
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}


def installed(name):
    return (WORKSPACE / "install" / name / "share" / name / "package.xml").exists()


def clean(names=("",)):
    """Remove what colcon made."""
    for name in names:
        for folder in ("build", "install"):
            shutil.rmtree(WORKSPACE / folder / name, ignore_errors=True)


def build_or_retry(folders, names, official):
    """Build, and once more from nothing where old build files are in the way."""
    old = any((WORKSPACE / "build" / name).exists() for name in names)
    try:
        colcon(folders, names, official)
    except SetUpError:
        if not old:
            raise
        clean(names)
        colcon(folders, names, official)


def colcon(folders, names, official):
    log = WORKSPACE / "log" / "set_up.log"
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    command = [str(PYTHON), "-c", COLCON, "build", "--symlink-install"]
    command += ["--base-paths", *(str(folder) for folder in folders)]
    command += ["--packages-select", *names, "--event-handlers", "console_direct+"]
    command += ["--cmake-args", f"-DPython3_EXECUTABLE={PYTHON}", "-DBUILD_TESTING=OFF"]
    call(command, log, cwd=WORKSPACE, env=build_environment(official))
