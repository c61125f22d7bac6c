"""Engine files: only the right one is used, and every accident leaves a working system."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from roomcad_core.engine.tensor_rt import store
from roomcad_core.engine.tensor_rt.store import Key, Unusable, stored_or_built

KEY = Key("net.onnx", "ab" * 32, "tensorrt 10.1", "NVIDIA X sm90", "f16", 1, [{"n": (1, 2, 3)}])
PLAN = bytes(range(256)) * 40


@pytest.fixture
def folder(tmp_path):
    stored_or_built(tmp_path, KEY, lambda: PLAN)
    return tmp_path


def must_not_build():
    raise AssertionError("it was built")


def test_a_stored_plan_is_found_again_under_a_name_that_says_what_it_is(folder):
    name = "net-abababababab-tensorrt_10.1-NVIDIA_X_sm90-f16.engine"
    assert KEY.file == name and (folder / name).is_file()
    assert stored_or_built(folder, KEY, must_not_build) == (PLAN, False)
    assert stored_or_built(folder, KEY, lambda: b"new", again=True) == (b"new", True)
    assert stored_or_built(folder, KEY, must_not_build) == (b"new", False)
    assert store.read_about(folder / name)["profiles"] == [{"n": [1, 2, 3]}]


DAMAGES = {
    "empty": (lambda data: b"", "no engine file of this version"),
    "garbage": (lambda data: os.urandom(500), "no engine file of this version"),
    "a bare plan": (lambda data: PLAN, "no engine file of this version"),
    "of an older roomcad": (lambda data: data.replace(b"engine 1", b"engine 0"), "of this version"),
    "header cut off": (lambda data: data[:40], "its header is damaged"),
    "header not ours": (lambda data: store.MAGIC + b"[1]\n" + PLAN, "its header is damaged"),
    "plan cut off": (lambda data: data[:-100], "10140 bytes of a plan, expected 10240"),
    "longer": (lambda data: data + b"x", "10241 bytes of a plan, expected 10240"),
    "one bit": (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "its checksum is wrong"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_built_again_and_the_reason_logged(folder, damage, caplog):
    change, reason = DAMAGES[damage]
    path = folder / KEY.file
    path.write_bytes(change(path.read_bytes()))
    assert stored_or_built(folder, KEY, lambda: b"new") == (b"new", True)
    assert f"{path}: built again: " in caplog.text and reason in caplog.text
    assert stored_or_built(folder, KEY, must_not_build) == (b"new", False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sha256", "cd" * 32),
        ("runtime", "tensorrt 10.2"),
        ("gpu", "NVIDIA Y sm90"),
        ("precision", "bf16"),
        ("recipe", 2),
        ("profiles", [{"n": (1, 2, 4)}]),
    ],
)
def test_a_foreign_file_is_never_taken_whatever_it_is_called(folder, field, value, caplog):
    other = replace(KEY, **{field: value})
    if other.file != KEY.file:
        os.replace(folder / KEY.file, folder / other.file)
    assert stored_or_built(folder, other, lambda: b"new") == (b"new", True)
    assert f"made of something else: {field}: got" in caplog.text


def test_what_is_read_has_to_be_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        store.read(tmp_path / "none.engine")
    (tmp_path / "bad.engine").write_bytes(b"bad")
    with pytest.raises(Unusable):
        store.read_about(tmp_path / "bad.engine")


def test_the_folder_is_the_variable_or_lies_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ROOMCAD_ENGINES", str(tmp_path / "mine"))
    assert store.engines_folder() == tmp_path / "mine"
    monkeypatch.delenv("ROOMCAD_ENGINES")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert store.engines_folder() == tmp_path / "roomcad" / "engines"


def test_a_build_that_fails_leaves_nothing(tmp_path):
    def fails():
        raise ValueError("no such operator")

    with pytest.raises(ValueError, match="no such operator"):
        stored_or_built(tmp_path, KEY, fails)
    assert not list(tmp_path.glob("*.engine")) and not list(tmp_path.glob("*.part"))
    assert stored_or_built(tmp_path, KEY, lambda: PLAN) == (PLAN, True)


def test_where_nothing_can_be_written_plans_are_built_each_time(tmp_path, caplog):
    place = tmp_path / "file"
    place.write_text("not a folder")
    for _ in range(2):
        assert stored_or_built(place, KEY, lambda: PLAN) == (PLAN, True)
    assert "goes on without a lock" in caplog.text and "not stored" in caplog.text


BUILDER = """
import os, resource, signal, sys, time
from pathlib import Path
from roomcad_core.engine.tensor_rt import store
from roomcad_core.engine.tensor_rt.store import Key, stored_or_built

folder, how = Path(sys.argv[1]), sys.argv[2]
key = Key("net.onnx", "ab" * 32, "tensorrt 10.1", "NVIDIA X sm90", "f16", 1, [{"n": (1, 2, 3)}])


def build():
    with open(folder / "log", "a") as file:
        file.write("built\\n")
    if how == "slow":
        time.sleep(1)
    return bytes(range(256)) * 40


if how == "full":
    # No file may grow beyond 4 kB: the write fails in the middle, as on a full disk.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
if how == "killed":
    store.os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
print(len(stored_or_built(folder, key, build)[0]))
"""


def builder(folder, how):
    command = [sys.executable, "-c", BUILDER, str(folder), how]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_that_want_the_same_plan_build_it_once(tmp_path):
    both = [builder(tmp_path, "slow") for _ in range(2)]
    for process in both:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, "10240\n"), err
    assert (tmp_path / "log").read_text() == "built\n"
    assert stored_or_built(tmp_path, KEY, must_not_build) == (PLAN, False)


def test_a_killed_build_leaves_nothing_that_counts(tmp_path):
    process = builder(tmp_path, "killed")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not list(tmp_path.glob("*.engine")) and len(list(tmp_path.glob("*.part"))) == 1
    # Neither its lock nor its half file is in the way of the next one, which clears up.
    assert stored_or_built(tmp_path, KEY, lambda: PLAN) == (PLAN, True)
    assert not list(tmp_path.glob("*.part"))


def test_a_full_disk_leaves_the_plan_in_use_and_no_half_file(tmp_path):
    process = builder(tmp_path, "full")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "10240\n"), err
    assert "not stored, it will have to be built again" in err and "File too large" in err
    assert not list(tmp_path.glob("*.engine")) and not list(tmp_path.glob("*.part"))


def test_parts_of_other_files_stay(tmp_path):
    other = tmp_path / "other.engine.1.part"
    other.write_text("of another process")
    stored_or_built(tmp_path, KEY, lambda: PLAN)
    assert other.is_file()


def test_the_header_can_be_read_without_tools(folder):
    with (folder / KEY.file).open("rb") as file:
        assert file.readline() == store.MAGIC
        header = json.loads(file.readline())
        assert header["bytes"] == len(PLAN) and header["about"]["gpu"] == KEY.gpu
