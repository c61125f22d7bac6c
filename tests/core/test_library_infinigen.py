"""infinigen's models, made by a stand-in: neither infinigen nor Blender is needed."""

import functools
import json
import sys
from collections import Counter

import numpy as np
import pytest

pytest.importorskip("trimesh")
pytest.importorskip("open3d")
pytest.importorskip("manifold3d")

from roomcad_core.classes import CLASSES  # noqa: E402
from roomcad_core.library import Library  # noqa: E402
from roomcad_core.library_build import infinigen  # noqa: E402
from roomcad_core.library_build.build import build  # noqa: E402
from roomcad_core.library_build.infinigen_maker import VERSION, Maker  # noqa: E402
from roomcad_core.library_build.infinigen_plan import FACTORIES, SIZES, plan  # noqa: E402
from roomcad_core.library_build.model import Mesh  # noqa: E402

# Answers as infinigen_worker.py does. plan.json says for each factory how large its boxes are, or
# how it fails; seeds in "huge" give a giant.
WORKER = """
import json, os, sys, time
import numpy as np
folder = os.path.dirname(os.path.abspath(__file__))
plan = json.load(open(folder + "/plan.json"))
print(json.dumps({"ok": True}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    open(folder + "/jobs.txt", "a").write(line)
    what = plan["factories"][job["factory"]]
    if what == "crash":
        os._exit(3)
    if what == "hang":
        time.sleep(60)
    if what == "error":
        print(json.dumps({"ok": False, "error": "KeyError: leg"}), flush=True)
        continue
    size = np.array(what) * (1000 if job["seed"] in plan["huge"] else 1)
    corner = np.array(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij")).reshape(3, -1).T - 0.5
    if "BedFrame" in job["factory"]:  # head at 0, slats at 0
        corner = corner + [0.5, 0, -0.5]
    quads = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4],
                      [1, 5, 7, 3]])
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    np.savez(job["out"], vertices=np.float32(corner * size), triangles=triangles,
             colors=np.full((12, 3), 90, np.uint8))
    numbers = {"width": 1.6, "size": 2.1, "thickness": 0.1, "leg_thickness": 0.1}
    print(json.dumps({"ok": True, "numbers": numbers}), flush=True)
"""


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Puts the stand-in in place; call it to say how factories (by name) behave."""
    folder = tmp_path / "fake"
    folder.mkdir()
    worker = folder / "worker.py"
    worker.write_text(WORKER)
    monkeypatch.setenv("ROOMCAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ROOMCAD_MODELS_PYTHON", sys.executable)
    monkeypatch.setattr(infinigen, "Maker", functools.partial(Maker, worker=worker, seconds=1.0))

    def behave(huge=(), **behaviour):
        factories = {}
        for label, group in FACTORIES.items():
            width, height, depth = np.mean(SIZES[label], axis=0)
            for factory in group:
                flat = (depth, width) if factory.front == "x" else (width, depth)
                factories[factory.path] = behaviour.get(factory.name, [*flat, height])
        (folder / "plan.json").write_text(json.dumps({"factories": factories, "huge": list(huge)}))
        return folder / "jobs.txt"

    return behave


@pytest.mark.parametrize("argument", ["", "many", "0", "5:-1", "5:x", "5:1:2"])
def test_a_bad_count_or_seed_is_named(argument, tmp_path):
    with pytest.raises(ValueError, match=rf"infinigen:{argument}: expected infinigen:COUNT"):
        build(f"infinigen:{argument}", tmp_path / "lib")


def test_a_missing_environment_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setenv("ROOMCAD_MODELS_PYTHON", str(tmp_path / "python"))
    with pytest.raises(FileNotFoundError, match="make setup-models"):
        build("infinigen:5", tmp_path / "lib")


def test_the_plan_is_even_over_classes_and_factories():
    jobs = plan(22 * 20, seed=0)
    assert Counter(job.label for job in jobs) == dict.fromkeys(CLASSES, 40)
    chairs = Counter(job.factory.name for job in jobs if job.label == "chair")
    assert chairs == {"Chair": 10, "OfficeChair": 10, "ArmChair": 10, "BarChair": 10}
    assert len({job.id for job in jobs}) == len(jobs)
    assert len({next(job.draws())[0] for job in jobs}) == len(jobs)


def test_the_plan_depends_on_the_seed_and_grows_with_the_count():
    def draws(count, seed):
        return {job.id: list(job.draws()) for job in plan(count, seed)}

    few, many, others = draws(30, 0), draws(60, 0), draws(30, 1)
    assert few == draws(30, 0)
    assert few.items() <= many.items()
    seeds = [{seed for tries in d.values() for seed, _ in tries} for d in (few, others)]
    assert not seeds[0] & seeds[1]


def test_changed_attributes_lie_in_their_range():
    (basket,) = [job for job in plan(33, 0) if job.factory.name == "BasketBase"]
    _, settings = next(basket.draws())
    assert settings["params.frame_sub_level"] == 0
    assert isinstance(settings["params.frame_sub_level"], int)
    assert 0.24 <= settings["params.height"] <= 0.42


def test_models_are_turned_into_the_cad_frame():
    # Blender's z is up; this factory's models look towards +x, with y to their left.
    front, left, top = (2.0, 0, 0), (0, 1.0, 0), (0, 0, 3.0)
    mesh = Mesh(np.array([front, left, top]), np.array([[0, 1, 2]]), np.zeros((1, 3), np.uint8))
    (chair,) = [job for job in plan(33, 0) if job.factory.name == "Chair"]
    turned = infinigen.dressed(chair, mesh, {})
    np.testing.assert_allclose(turned.vertices, [[0, 0, -2], [-1, 0, 0], [0, 3, 0]], atol=1e-12)


def test_a_library_of_all_classes(fake, tmp_path):
    fake()
    report = build("infinigen:22:3", tmp_path / "lib")
    library = Library.load(tmp_path / "lib")
    assert report.counts == dict.fromkeys(CLASSES, 2)
    assert library["desk_infinigen_simpledesk_3_001"].size == pytest.approx(
        np.mean(SIZES["desk"], axis=0)
    )
    assert {cad.licence for cad in library} == {"BSD-3-Clause"}
    table = library["table_infinigen_tabledining_3_000"]
    assert table.size == pytest.approx(np.mean(SIZES["table"], axis=0))
    assert table.source == f"infinigen {VERSION}, TableDining, seed 3, number 0"


def test_a_bed_gets_a_mattress(fake, tmp_path):
    fake()
    build("infinigen:11", tmp_path / "lib")
    bed = Library.load(tmp_path / "lib")["bed_infinigen_bedframe_0_000"]
    _, triangles, colors = bed.load_mesh()
    assert len(triangles) > 100  # the frame alone has 12
    assert len(np.unique(colors, axis=0)) == 3  # frame, linen, blanket


def test_models_made_before_are_not_made_again(fake, tmp_path):
    jobs = fake()
    build("infinigen:11", tmp_path / "one")
    asked = len(jobs.read_text().splitlines())
    build("infinigen:11", tmp_path / "two")
    assert asked == len(jobs.read_text().splitlines()) == 11
    one, two = Library.load(tmp_path / "one"), Library.load(tmp_path / "two")
    for cad, again in zip(one, two, strict=True):
        assert cad.id == again.id
        np.testing.assert_array_equal(cad.points, again.points)
    assert not list((tmp_path / "cache").rglob("*.raw.npz"))


def test_failures_are_skipped_named_and_counted(fake, tmp_path):
    fake(SimpleDesk="error", Sofa="crash", Toilet="hang")
    report = build("infinigen:22", tmp_path / "lib")
    why = dict(report.skipped)
    assert len(why) == 6
    assert why["desk_infinigen_simpledesk_0_000"] == "KeyError: leg"
    assert "crashed" in why["sofa_infinigen_sofa_0_001"]
    assert "more than 1 s" in why["toilet_infinigen_toilet_0_000"]
    assert report.skipped_kinds()["sofa_infinigen_sofa"] == 2
    assert "2 x toilet_infinigen_toilet" in str(report)
    assert report.counts["table"] == 2  # after all of these: a new process went on


def test_a_model_of_an_unusual_size_is_drawn_again(fake, tmp_path):
    (bath,) = [job for job in plan(11, 0) if job.label == "bathtub"]
    (sofa,) = [job for job in plan(11, 0) if job.label == "sofa"]
    huge = [next(bath.draws())[0], *(seed for seed, _ in sofa.draws())]
    jobs = fake(huge)
    report = build("infinigen:11", tmp_path / "lib")
    assert Library.load(tmp_path / "lib")[bath.id].size.max() < 3
    assert jobs.read_text().count("BathtubFactory") == 2
    assert [name for name, _ in report.skipped] == [sofa.id]
    assert "no usual size in 8 draws" in report.skipped[0][1]


def test_an_environment_that_does_not_work_ends_the_build(fake, tmp_path):
    fake()
    (tmp_path / "fake" / "plan.json").unlink()  # the stand-in ends with an error at once
    with pytest.raises(ImportError, match=r"does not start, see .*worker\.log; try: make setup-m"):
        build("infinigen:11", tmp_path / "lib")
