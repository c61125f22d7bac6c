"""The Dockerfile and compose files name only what exists; no image is built here."""

import re
from pathlib import Path

import pytest
import yaml

from roomcad_core.cli import main

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
STAGES = set(re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.M))
COMPOSE = ("compose.yaml", "compose.gpu.yaml")


def test_commands_of_the_images_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"&& make ([\w-]+)", DOCKERFILE))
    assert targets == {"setup", "setup-tensorrt"} and all(
        f"\n{target}:" in makefile for target in targets
    )
    scripts = set(re.findall(r"\bscripts/[\w.]+", DOCKERFILE))
    assert scripts and all((ROOT / script).is_file() for script in scripts)
    with pytest.raises(SystemExit) as stopped:
        main(["engine", "build", "--help"])
    assert stopped.value.code == 0 and "roomcad engine build" in DOCKERFILE


def test_files_that_are_installed_or_copied_exist():
    names = set(re.findall(r"requirements/[\w.]+\.txt", DOCKERFILE))
    names |= {f"requirements/{flavour}.txt" for flavour in ("tensorrt", "tensorrt_rtx")}
    copied = re.findall(r"^COPY (?:--chown=\S+ )?(\S+) \S+$", DOCKERFILE, re.M)
    assert len(copied) == DOCKERFILE.count("\nCOPY ")
    assert all((ROOT / name).exists() for name in (*names, *copied))


def test_no_image_runs_as_root_and_robot_and_train_are_apart():
    stages = dict(re.findall(r"^FROM \S+ AS (\w+)$(.*?)(?=^FROM |\Z)", DOCKERFILE, re.M | re.S))
    assert {"robot", "train"} <= set(stages) == STAGES
    for stage, text in stages.items():
        assert re.findall(r"^USER (\S+)$", text, re.M)[-1:] == ["1100"], stage
    assert "torch" not in stages["robot"] and "ros-jazzy" not in stages["train"]


@pytest.mark.parametrize("name", COMPOSE)
def test_compose_files_build_stages_and_launch_arguments_that_exist(name):
    services = yaml.safe_load((ROOT / name).read_text())["services"]
    assert {service["build"]["target"] for service in services.values()} <= STAGES
    launch = (ROOT / "launch" / "perception.launch.py").read_text()
    words = [word for s in services.values() for word in s.get("command", ())]
    for word in words:
        if ":=" in word:
            assert f'("{word.partition(":=")[0]}", ' in launch
        elif "/" in word:
            assert (ROOT / word).is_file()


def test_the_gpu_file_adds_to_services_that_are_there():
    base, gpu = (yaml.safe_load((ROOT / name).read_text()) for name in COMPOSE)
    assert set(gpu["services"]) - set(base["services"]) == {"engines"}
    folder = re.search(r"ROOMCAD_ENGINES=(\S+)", DOCKERFILE).group(1)
    for service in (base["services"]["stack"], gpu["services"]["engines"]):
        assert service["volumes"] == [f"engines:{folder}"]
