"""The core must import on a robot that has neither ROS nor torch."""

import os
import pkgutil
import subprocess
import sys

import roomcad_core

BANNED = {
    "onnxruntime",
    "open3d",
    "openvino",
    "rclpy",
    "roomcad_msgs",
    "roomcad_offline",
    "roomcad_ros",
    "rosbags",
    "tensorrt",
    "torch",
}


def test_importing_every_core_module_pulls_in_nothing_heavy_and_no_ros():
    names = [m.name for m in pkgutil.walk_packages(roomcad_core.__path__, "roomcad_core.")]
    assert "roomcad_core.types" in names
    # The infinigen worker is a script that only another environment, with bpy, runs.
    scripts = ("__main__", "infinigen_worker")
    modules = [name for name in names if not name.endswith(scripts)]
    code = f"import sys, {', '.join(modules)}; print(*({BANNED!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []


def test_the_core_names_no_ros_module_anywhere():
    """Also not inside functions: rclpy belongs to roomcad_ros alone."""
    found = []
    for folder, _, files in os.walk(os.path.dirname(roomcad_core.__file__)):
        for name in (n for n in files if n.endswith(".py")):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                lines = file.read().splitlines()
            words = ("import rclpy", "from rclpy", "import torch", "from torch")
            found += [(name, x) for x in lines if x.strip().startswith(words)]
    assert found == []
