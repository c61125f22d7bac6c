"""Debian packages that pip cannot bring: checked always, installed where we are root."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from steps import SetUpError, timed

PROGRAMS = {"cmake": "cmake", "g++": "g++", "make": "make"}
LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libgomp.so.1": "libgomp1",
    "libusb-1.0.so.0": "libusb-1.0-0",
}
# Beside an official ROS these come from apt, as its cv_bridge is compiled against them.
MODULES = {
    "cv2": "python3-opencv",
    "matplotlib": "python3-matplotlib",
    "PIL": "python3-pil",
    "scipy": "python3-scipy",
    "yaml": "python3-yaml",
}


def missing_packages(official):
    """Names of the Debian packages that are needed and not there."""
    out = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    known = known_libraries()
    out += [package for library, package in LIBRARIES.items() if library not in known]
    if official:
        out += [package for m, package in MODULES.items() if importlib.util.find_spec(m) is None]
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if importlib.util.find_spec("ensurepip") is None:
        out.append(f"{python}-venv")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        out.append(f"{python}-dev")
    return out


def known_libraries():
    """File names of the shared libraries the loader knows."""
    ldconfig = shutil.which("ldconfig", path=f"{os.environ['PATH']}:/sbin:/usr/sbin")
    if ldconfig is None:
        raise SetUpError("ldconfig was not found: this set-up needs Debian or Ubuntu")
    listing = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in listing.splitlines()[1:] if line.strip()}


def ensure(official):
    """Install what is missing as root; else say how and stop."""
    missing = missing_packages(official)
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SetUpError(
            f"system packages are missing; run:\n"
            f"    sudo apt-get update && sudo apt-get install -y {' '.join(missing)}"
        )
    with timed(f"system packages {' '.join(missing)}"):
        quiet = {
            "stdout": subprocess.DEVNULL,
            "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        }
        for command in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
            if subprocess.run(["apt-get", "-q", *command], **quiet).returncode:
                raise SetUpError(f"apt-get {' '.join(command)} failed")
    left = missing_packages(official)
    if left:
        raise SetUpError(f"installed, yet still not found: {' '.join(left)}")
