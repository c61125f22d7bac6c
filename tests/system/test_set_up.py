"""The set-up does each step once, again when its inputs change, and names what is missing."""

from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture(autouse=True)
def scripts_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))


@pytest.fixture
def steps(tmp_path):
    from steps import Steps

    return Steps(tmp_path / "records")


def test_a_step_runs_once_for_a_key_and_again_for_another(steps, capsys):
    ran = []
    for key in ("a", "a", "b", "b", "a"):
        steps.run("python packages", key, lambda log, key=key: ran.append(key))
    assert ran == ["a", "b", "a"]
    assert capsys.readouterr().out.count("[setup] python packages ... 0 s") == 3


def test_a_step_that_failed_or_is_no_longer_intact_runs_again(steps):
    ran = []

    def fail(log):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        steps.run("pip", "key", fail)
    steps.run("pip", "key", ran.append)
    steps.run("pip", "key", ran.append)
    steps.run("pip", "key", ran.append, intact=False)
    assert len(ran) == 2


def test_a_failing_command_shows_its_output_and_where_the_rest_is(tmp_path, capsys):
    from steps import SetUpError, call

    log = tmp_path / "step.log"
    with pytest.raises(SetUpError, match="step.log"):
        call(["ls", str(tmp_path / "no such file")], log)
    assert "no such file" in capsys.readouterr().err


def test_the_wheels_cmake_files_name_this_machine(tmp_path):
    from ros_wheels import patch_cmake_files

    file = tmp_path / "share/std_msgs/cmake/export.cmake"
    file.parent.mkdir(parents=True)
    old = "/opt/python/cp311-cp311"
    file.write_text(
        f'DIRS "{old}/include/python3.11;{old}/lib/python3.11/site-packages/numpy/_core/include"'
    )
    (file.parent / "other.cmake").write_text("untouched")
    assert patch_cmake_files(tmp_path, "/py/include", "/np/include") == [file]
    assert file.read_text() == 'DIRS "/py/include;/np/include"'
    assert patch_cmake_files(tmp_path, "/py/include", "/np/include") == []


def test_a_package_is_built_again_for_messages_and_metadata_not_for_python(tmp_path, monkeypatch):
    import workspace

    monkeypatch.setattr(workspace, "ROOT", tmp_path)
    for name in ("package.xml", "msg/A.msg", "code.py"):
        (tmp_path / "toy" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "toy" / name).write_text("old")
    keys = [workspace.package_key(tmp_path / "toy")]
    for name in ("code.py", "msg/A.msg", "msg/B.msg", "package.xml"):
        (tmp_path / "toy" / name).write_text("new")
        keys.append(workspace.package_key(tmp_path / "toy"))
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_missing_system_packages_are_named_with_the_command_that_brings_them(monkeypatch):
    import system_packages
    from steps import SetUpError

    monkeypatch.setattr(system_packages, "known_libraries", lambda: {"libGL.so.1"})
    monkeypatch.setattr(system_packages.os, "geteuid", lambda: 1000)
    with pytest.raises(SetUpError, match="sudo apt-get install -y .*libusb-1.0-0") as error:
        system_packages.ensure(official=False)
    assert "libgl1" not in str(error.value)


def test_the_overlay_is_not_installed_where_every_official_package_is_there(tmp_path, monkeypatch):
    import overlay

    site = tmp_path / "lib/python3.11/site-packages"
    site.mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (site / "roomcad_overlay.pth").write_text("stale")
    monkeypatch.setattr(overlay, "VENV", tmp_path)
    monkeypatch.setattr(overlay, "COMMAND", tmp_path / "bin/ros2")
    monkeypatch.setenv("PATH", "/nowhere")
    overlay.install([], None)
    assert list(site.iterdir()) == [] and not (tmp_path / "bin/ros2").exists()
    overlay.install(["cv_bridge", "ros2cli", "tf2_msgs"], None)
    lines = (site / "roomcad_overlay.pth").read_text().split()
    assert [Path(line).name for line in lines] == ["cv_bridge", "ros2cli"]
    assert (tmp_path / "bin/ros2").exists()


def test_without_the_overlay_folder_there_are_no_parts(tmp_path, monkeypatch):
    import overlay

    monkeypatch.setattr(overlay, "OVERLAY", tmp_path / "removed")
    assert overlay.parts() == []


def test_the_tests_get_tensorrt_rtx_where_its_wheels_run(monkeypatch):
    import set_up

    for machine, expected in (("x86_64", {"tensorrt_rtx"}), ("aarch64", set())):
        monkeypatch.setattr(set_up.platform, "machine", lambda machine=machine: machine)
        assert set_up.tensorrt_flavours(None, tests=True) == expected
        assert set_up.tensorrt_flavours("tensorrt", tests=True) == {"tensorrt", *expected}
        assert set_up.tensorrt_flavours(None, tests=False) == set()


def test_continuous_integration_runs_the_targets_that_people_run():
    makefile, run = (SCRIPTS.parent / name for name in ("Makefile", ".ci/run"))
    assert "for target in lint test; do" in run.read_text()
    assert "set_up.py --tests" in makefile.read_text().partition("\ntest:")[2].partition("\n\n")[0]
