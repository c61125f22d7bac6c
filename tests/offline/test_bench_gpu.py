"""The benchmark's part for a GPU, where there is none."""

import pytest

from roomcad_core.engine import Unavailable
from roomcad_offline import bench_gpu


def test_without_a_gpu_the_table_says_so_and_names_the_command(monkeypatch):
    def none(*args):
        raise Unavailable("TensorRT needs an NVIDIA GPU")

    monkeypatch.setattr(bench_gpu, "measure", none)
    (line,) = bench_gpu.gpu_lines(bench_gpu.bench_gpu("somewhere"))
    assert "GPU: **not measured**: " in line and "NVIDIA GPU" in line
    assert "`make setup-tensorrt TENSORRT=tensorrt && make bench`" in line


def test_other_failures_are_not_hidden(monkeypatch):
    def fails(*args):
        raise RuntimeError("cuStreamSynchronize: error 700")

    monkeypatch.setattr(bench_gpu, "measure", fails)
    with pytest.raises(RuntimeError, match="error 700"):
        bench_gpu.bench_gpu("somewhere")


def test_recorded_inputs_are_those_that_the_stack_gives_the_loop(tmp_path):
    pytest.importorskip("open3d")
    pytest.importorskip("onnxruntime")
    from roomcad_core.engine.bench_feeds import recorded_feeds
    from roomcad_core.engine.shipped import shipped_models
    from roomcad_core.library import models_folder
    from roomcad_offline.rooms.config import RoomConfig
    from roomcad_offline.rooms.make import make_room

    loops = [file for file in shipped_models(models_folder()) if file.task == "align"]
    if not loops:
        pytest.skip("models/manifest.json has no alignment network")
    config = RoomConfig(frames=2, width=320, height=240, seed=4, clutter=0.0, shadows=False)
    make_room(config, 0, tmp_path)
    file = min(loops, key=lambda loop: loop.updates)
    feeds = recorded_feeds(str(tmp_path / "room0000"), file, frames=2)
    assert feeds and all(f["valid"].any() for f in feeds)
    assert {f["T"].shape[0] for f in feeds} == {4}
    assert all(0.3 < f["T"][:, f["valid"], 2].min() < 10 for f in feeds)  # before the camera
