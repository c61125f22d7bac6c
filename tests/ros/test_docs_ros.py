"""The pages about ROS say what the code does: tables made from it, a remedy for every warning."""

import ast
import os
import re
import subprocess
import sys

import pytest

# Calls that name a reason, and which of their arguments does.
CALLS = {"BadFrame": 0, "drop": 0, "warn": 0, "Dropped": 1}


def sources(root):
    for package in ("roomcad_ros", "roomcad_core"):
        yield from sorted((root / "ros_ws" / "src" / package / package).rglob("*.py"))


def reasons(root):
    """Reasons for which the nodes drop or warn: constants in calls of CALLS."""
    found = set()
    for path in sources(root):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                at = CALLS.get(name)
                if at is not None and len(node.args) > at:
                    value = getattr(node.args[at], "value", None)
                    if isinstance(value, str):
                        found.add(value)
    return found


def messages(root):
    """How the other warnings and errors of the nodes begin, as written in the code."""
    found = set()
    for path in (root / "ros_ws/src/roomcad_ros/roomcad_ros").glob("*.py"):
        text = path.read_text()
        found |= set(re.findall(r"get_logger\(\)\.(?:warning|error|fatal)\(f?\"([^{\"]+)", text))
    return {text.strip(" :") for text in found}


def listed(root):
    """What the rows of the troubleshooting tables are about."""
    text = (root / "docs" / "troubleshooting.md").read_text()
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def test_every_warning_of_the_nodes_has_a_remedy_and_no_remedy_is_for_nothing(request):
    root = request.config.rootpath
    assert len(reasons(root)) > 20 and messages(root)
    assert listed(root) == reasons(root) | messages(root)


def test_the_tables_of_the_interface_are_up_to_date(request, domain):
    pytest.importorskip("open3d")
    page = request.config.rootpath / "docs" / "ros.md"
    command = [sys.executable, "-m", "roomcad_ros.reference", str(page), "--check"]
    environment = os.environ | {"ROS_DOMAIN_ID": str(domain)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"run `make docs`\n{done.stderr[-2000:]}"


def test_the_readme_leads_to_both_pages(request):
    text = (request.config.rootpath / "README.md").read_text()
    assert "(docs/ros.md)" in text and "(docs/troubleshooting.md)" in text
