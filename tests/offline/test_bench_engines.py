"""The benchmark's part for networks by themselves, where there is no GPU."""

import pytest

from roomcad_core.config import AlignConfig, ClassifyConfig
from roomcad_core.engine import Unavailable
from roomcad_offline import bench_engines


def test_without_a_gpu_the_table_says_so_and_names_the_command(monkeypatch):
    def cpu_only(files, engine, **options):
        if engine == "tensorrt":
            raise Unavailable("TensorRT needs an NVIDIA GPU")
        names = [file.name for file in files]
        return {"machine": {"CPU": "two"}, "rounds": 1, "maps": "-", "peaks": {}, "results": [],
                "names": names}  # fmt: skip

    monkeypatch.setattr(bench_engines, "measure", cpu_only)
    cpu, gpu = bench_engines.bench_cpu("somewhere"), bench_engines.bench_gpu("somewhere")
    assert {ClassifyConfig().model, AlignConfig().model} <= set(cpu["names"])
    *table, line = bench_engines.engine_lines({"cpu": cpu, "gpu": gpu})
    assert any("CPU two" in text for text in table)
    assert "GPU: **not measured**: " in line and "NVIDIA GPU" in line
    assert "`make setup-tensorrt TENSORRT=tensorrt && make bench`" in line


def test_other_failures_are_not_hidden(monkeypatch):
    def fails(*args, **options):
        raise RuntimeError("cuStreamSynchronize: error 700")

    monkeypatch.setattr(bench_engines, "measure", fails)
    with pytest.raises(RuntimeError, match="error 700"):
        bench_engines.bench_gpu("somewhere")


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
