"""Finds packages and their programs in the ament prefixes."""

import os
from pathlib import Path

from ament_index_python.packages import get_package_prefix


def find_executable(package, name):
    """Path of program `name` of a package; an error names where it was looked for."""
    folder = Path(get_package_prefix(package)) / "lib" / package
    path = folder / name
    if not path.is_file() or not os.access(path, os.X_OK):
        there = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
        raise FileNotFoundError(f"no program {name!r} in {folder}, it holds {there}")
    return str(path)
