"""Makes everything that `make demo` and `make test` need; does only what is missing.

    python3 scripts/set_up.py [--train] [--tensorrt FLAVOUR] [--tests] [--models]

Needs nothing but a Python of its own (3.11, or the one of a sourced official ROS).
"""

import argparse
import contextlib
import fcntl
import os
import platform
import sys
import time

import environment
import models_environment
import overlay
import system_packages
import workspace
from environment import RECORDS, REQUIREMENTS, ROOT, VENV
from steps import SetUpError, Steps, call, fingerprint, timed

MODULES = (
    *("numpy", "scipy", "cv2", "open3d", "onnxruntime", "openvino", "trimesh", "rosbags"),
    "pytest",
)
TENSORRT = ("tensorrt_rtx", "tensorrt")  # modules, each with a requirements file
WHEELS_PYTHON = (3, 11)  # what the ROS wheels are built for


def main():
    """Set up, or say in one line why that cannot be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", action="store_true", help="also torch and h5py, for training")
    parser.add_argument("--tensorrt", choices=TENSORRT, help="also TensorRT, for NVIDIA GPUs")
    parser.add_argument("--tests", action="store_true", help="also what only the tests need")
    parser.add_argument("--models", action="store_true", help="also infinigen, to make CAD models")
    args = parser.parse_args()
    leave_venv()
    start = time.monotonic()
    try:
        with only_one():
            flavours = tensorrt_flavours(args.tensorrt, args.tests)
            ran = set_up(args.train or args.tests, flavours)
            ran += models_environment.set_up() if args.models else 0
    except SetUpError as error:
        print(f"[setup] error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n[setup] interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    print(f"[setup] {'done' if ran else 'up to date'} ({time.monotonic() - start:.1f} s)")
    return 0


def tensorrt_flavours(asked, tests):
    """Which of TENSORRT to install; the tests build engines with TensorRT-RTX, where it exists."""
    wanted = {asked} if asked else set()
    # For another processor there may be no wheel.
    return wanted | ({"tensorrt_rtx"} if tests and platform.machine() == "x86_64" else set())


def leave_venv():
    """Go on with the Python that .venv was made from, which outlives it."""
    if environment.is_ours(sys.prefix):
        base = sys._base_executable
        os.execv(base, [base, *sys.argv])


@contextlib.contextmanager
def only_one():
    """Makes two set-ups of this checkout wait for each other."""
    lock = os.open(ROOT / "scripts", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


def set_up(train, tensorrt):
    """All steps in order, `tensorrt`: its flavours; returns how many had something to do."""
    official = environment.official_ros()
    check_python(official)
    system_packages.ensure(official)
    steps = Steps(RECORDS)
    make_environment(steps, official)
    install_packages(steps, official)
    missing = overlay.missing_parts(official)
    key = fingerprint(str(VENV), *missing)
    steps.run("pip_overlay", key, lambda log: overlay.install(missing, log))
    environment_key = fingerprint(str(VENV), sys.version, official)
    extra = overlay.message_packages(missing)
    steps.ran += len(workspace.build(extra, environment_key, official))
    if train:
        install_torch(steps, official)
    for flavour in sorted(tensorrt):
        install_tensorrt(steps, flavour, official)
    return steps.ran


def check_python(official):
    """Stop at a Python that no ROS is to be had for."""
    got = sys.version_info[:2]
    if not official and got != WHEELS_PYTHON:
        raise SetUpError(
            f"got Python {got[0]}.{got[1]}, the ROS wheels need "
            f"{WHEELS_PYTHON[0]}.{WHEELS_PYTHON[1]}; install it (apt-get install python3.11 "
            "python3.11-venv python3.11-dev), or source an official ROS 2"
        )


def make_environment(steps, official):
    """.venv, made anew where it is of no use."""
    reason = environment.why_unusable(official)
    if reason:
        with timed(f"Python environment ({reason})"):
            environment.create(official)
        steps.ran += 1


def install_packages(steps, official):
    """Python packages, ROS wheels among them, and roomcad's own."""
    files, constraints = environment.requirement_files(official)
    modules = MODULES if official else (*MODULES, "rclpy", "colcon_core")
    steps.run(
        "Python packages" if official else "Python packages and ROS 2 wheels",
        fingerprint(str(VENV), *files, *constraints),
        lambda log: environment.install(files, constraints, official, log),
        intact=environment.has_modules(modules, official),
    )
    if not official:
        key = fingerprint(str(VENV), REQUIREMENTS / "ros.txt", REQUIREMENTS / "core.txt")
        patch = [str(environment.PYTHON), str(ROOT / "scripts" / "ros_wheels.py")]
        env = environment.build_environment(official)
        steps.run("CMake files of the wheels", key, lambda log: call(patch, log, env=env))
    steps.run(
        "roomcad's own packages",
        environment.editable_key(),
        lambda log: environment.install_editable(official, log),
        intact=environment.has_modules(("roomcad_core",), official),
    )


def install_torch(steps, official):
    """torch, held to the versions that everything else needs."""
    files = [REQUIREMENTS / "train.txt"]
    held = [*environment.requirement_files(official)[1], REQUIREMENTS / "core.txt"]
    steps.run(
        "torch",
        fingerprint(str(VENV), *files, *held),
        lambda log: environment.install(files, held, official, log),
        intact=environment.has_modules(("torch", "h5py", "safetensors", "sympy"), official),
    )


def install_tensorrt(steps, flavour, official):
    """TensorRT, held to the versions that everything else needs."""
    files, constraints = environment.requirement_files(official)
    held = [*files, *constraints]
    wanted = REQUIREMENTS / f"{flavour}.txt"
    steps.run(
        flavour,
        fingerprint(str(VENV), wanted, *held),
        lambda log: environment.install([wanted], held, official, log),
        intact=environment.has_modules((flavour, "onnx"), official),
    )


if __name__ == "__main__":
    sys.exit(main())
