"""Make the CMake files of the ROS wheels fit this machine.

The wheels name the include folders of the Python and NumPy they were built with; message
packages compiled against them need the folders of this environment instead.
"""

import re
import sysconfig
from pathlib import Path

BUILDER = re.compile(r"/opt/python/cp\d+-cp\d+/")
PYTHON_INCLUDE = re.compile(r"/opt/python/cp\d+-cp\d+/include/python3\.\d+")
NUMPY_INCLUDE = re.compile(r"/opt/python/cp\d+-cp\d+/lib/python3\.\d+/site-packages/[\w/]+/include")


def patch_cmake_files(prefix, python_include, numpy_include):
    """Rewrite the builder's include folders below `prefix`/share; returns the changed files."""
    changed = []
    for path in sorted(Path(prefix).glob("share/*/cmake/*.cmake")):
        text = path.read_text()
        if not BUILDER.search(text):
            continue
        new = NUMPY_INCLUDE.sub(lambda _: numpy_include, text)
        path.write_text(PYTHON_INCLUDE.sub(lambda _: python_include, new))
        changed.append(path)
    return changed


def main():
    """Patch the environment of the running interpreter."""
    import sys

    import numpy

    changed = patch_cmake_files(sys.prefix, sysconfig.get_path("include"), numpy.get_include())
    print(f"{len(changed)} CMake files of the ROS wheels now name this environment")


if __name__ == "__main__":
    main()
