"""Simulated rooms with the layouts of real ones: what stands where, which way round, structure."""

import json

import numpy as np
import pytest

pytest.importorskip("open3d")
import cv2  # noqa: E402
from box_furniture import SIZES, save_boxes  # noqa: E402

from roomcad_core.datasets import open_dataset  # noqa: E402
from roomcad_core.library import Library  # noqa: E402
from roomcad_offline.benchmarks.real.room import SimulatedTruth  # noqa: E402
from roomcad_offline.rooms import cli, path  # noqa: E402
from roomcad_offline.rooms import room as rooms  # noqa: E402
from roomcad_offline.rooms.config import RoomConfig  # noqa: E402
from roomcad_offline.rooms.footprint import overlap  # noqa: E402
from roomcad_offline.rooms.layouts import build, fit, openings, tidy  # noqa: E402
from roomcad_offline.rooms.layouts import room as layout_room  # noqa: E402
from roomcad_offline.rooms.layouts.read import Box, Layout, read_layouts  # noqa: E402
from roomcad_offline.rooms.layouts.shell import Shell, Wall, make_shell  # noqa: E402
from roomcad_offline.rooms.make import identity, make_room, make_rooms  # noqa: E402
from roomcad_offline.scannet.categories import table  # noqa: E402

SMALL = {"width": 160, "height": 120, "frames": 2, "seed": 5, "fps": 2.0}
# A bedroom of 4 m by 5 m about the origin: the bed's head at y = 2.5, a desk at x = -2.
BEDROOM = [
    ["bed", 0.8, 1.45, 0.4, 1.6, 2.0, 0.8],
    ["desk", -1.65, 0.0, 0.37, 0.7, 1.4, 0.74],
    ["chair", -1.2, 0.1, 0.45, 0.5, 0.5, 0.9],
    ["cabinet", 1.7, -1.5, 0.5, 0.5, 1.2, 1.0],
    ["garbagebin", -1.75, -1.2, 0.2, 0.3, 0.3, 0.4],
    ["table", 0.0, -1.0, 0.37, 0.9, 0.8, 0.74],
    ["door", 0.5, -2.5, 1.0, 0.9, 0.1, 2.0],
    ["window", -1.98, 0.0, 1.5, 0.1, 1.2, 1.0],
    ["picture", 0.8, 2.48, 1.6, 0.6, 0.05, 0.4],
    ["curtain", -1.9, 1.3, 1.2, 0.15, 1.0, 2.2],
    ["counter", 1.68, 0.0, 0.8, 0.62, 1.4, 0.3],
    ["sink", 1.7, 0.1, 0.8, 0.4, 0.5, 0.2],
    ["refrigerator", -1.65, -2.1, 0.9, 0.7, 0.7, 1.8],
]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return save_boxes(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    file = tmp_path_factory.mktemp("layouts") / "layouts.json"
    empty = {"scene": "empty", "boxes": []}
    file.write_text(json.dumps([{"scene": "bedroom", "boxes": BEDROOM}, empty]))
    return str(file)


@pytest.fixture(scope="module")
def config(library, layouts):
    return RoomConfig(library=library, layouts=layouts, noise=False, **SMALL)


@pytest.fixture(scope="module")
def bedroom(config, layouts):
    """Furnished bedroom of the layout."""
    layout = read_layouts(layouts)[0]
    library = Library.load(config.library)
    return layout_room.furnish(layout, config, library, {}, np.random.default_rng(3))


@pytest.fixture(scope="module")
def folder(config, tmp_path_factory):
    return make_room(config, 0, tmp_path_factory.mktemp("rooms"))[0]


def square(side=4.0):
    """Shell of a square room."""
    corners = [np.array(c, float) for c in ((0, 0), (side, 0), (side, side), (0, side))]
    walls = [Wall(a, b) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)]
    return Shell(side, side, 2.5, walls)


def box(kind, centre, size):
    return Box(kind, np.array(centre, float), np.array(size, float))


def front_of(item):
    return item.footprint.front


def fitted(library, boxes, number, shell=None):
    """Item in box `number` of some boxes, turned but not by chance."""
    fitter = fit.Fitter(shell or square(), Library.load(library), np.random.default_rng(0))
    fitter.turn = lambda label: 0.0
    return fitter.item(boxes[number], boxes)


def read_png(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("place", [(2, 1.2), (2, 2.8), (1.2, 2), (2.8, 2)])
def test_chairs_face_their_table(library, place):
    boxes = [box("table", (2, 2, 0.37), (1.2, 1.2, 0.74))]
    boxes.append(box("chair", (*place, 0.45), (0.5, 0.5, 0.9)))  # pushed under it
    item = fitted(library, boxes, 1)
    towards = np.array([2, 2]) - place
    assert front_of(item) @ towards / np.linalg.norm(towards) == pytest.approx(1)


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("bed", (2.0, 1.6, 0.8)),
        ("sofa", (0.9, 1.9, 0.8)),
        ("toilet", (0.6, 0.5, 0.8)),
        ("bookshelf", (0.3, 0.9, 1.9)),
        ("desk", (0.7, 1.4, 0.74)),
        ("cabinet", (0.45, 1.0, 0.8)),
    ],
)
def test_backs_are_at_the_nearest_wall(library, kind, size):
    boxes = [box(kind, (size[0] / 2 + 0.05, 2.0, size[2] / 2), size)]
    item = fitted(library, boxes, 0)
    assert front_of(item) == pytest.approx((1, 0), abs=1e-9)
    assert item.footprint.corners()[:, 0].min() == pytest.approx(0.01, abs=0.002)


def test_furniture_stands_in_its_box_within_the_limits_of_its_scale(library):
    rng = np.random.default_rng(1)
    for label, size in SIZES.items():
        if label == "monitor":
            continue
        kind = {"bin": "garbagebin"}.get(label, label)
        for _ in range(4):
            w, h, d = np.array(size) * rng.uniform(0.7, 1.4, 3)
            (item,) = [fitted(library, [box(kind, (2, 2, h / 2), (w, d, h))], 0)]
            scale = item.S / size
            assert (scale > 0.59).all() and (scale < 1.61).all()
            corners = item.footprint.corners() - (2, 2)
            if label not in fit.WALL_BACKED:
                assert (np.abs(corners).max(0) <= np.array([w, d]) / 2 + 1e-6).all()
            assert item.bottom == 0 and item.top <= h + 1e-6


def test_a_hanging_cabinet_hangs_and_one_in_the_air_is_left_out(library):
    at_wall = box("cabinet", (0.2, 2, 1.75), (0.4, 0.9, 0.7))
    assert fitted(library, [at_wall], 0).bottom == pytest.approx(1.4)
    assert fitted(library, [box("cabinet", (2, 2, 1.75), (0.4, 0.9, 0.7))], 0) is None


def test_long_rows_become_several_pieces():
    pieces = fit.split(box("bookshelf", (2, 2, 1), (0.3, 4.0, 2)))
    assert [round(float(p.size[1]), 3) for p in pieces] == [1.333] * 3
    assert pieces[0].low[1] == 0 and pieces[-1].high[1] == pytest.approx(4)


def test_walls_stand_behind_all_boxes_and_cut_corners_hold_none():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        boxes = [Box(row[0], np.array(row[1:4]), np.array(row[4:])) for row in BEDROOM]
        shell, shift = make_shell(boxes[: 6 + seed % 5], rng)
        for one in tidy.shifted(boxes[: 6 + seed % 5], shift):
            assert (one.low[:2] >= -1e-9).all()
            assert (one.high[:2] <= (shell.width + 1e-9, shell.depth + 1e-9)).all()
            place = shell.walls[0].place(0, *one.size[:2] / 2)
            x, y = map(float, one.centre[:2])
            place = type(place)(x, y, 0.0, *map(float, one.size[:2] / 2))
            assert not any(overlap(place, cut, -0.01) for cut in shell.cuts)
        ends = [
            np.linalg.norm(a.end - b.start)
            for a, b in zip(shell.walls, np.roll(shell.walls, -1), strict=True)
        ]
        assert max(ends) < 1e-9


def test_a_bedroom_as_a_person_would_set_it_up(bedroom):
    items = {item.model.label: item for item in bedroom.plan.items}
    turn = bedroom.shell.walls[0]  # along x: the layout keeps its axes
    assert turn.along == pytest.approx((1, 0))
    assert front_of(items["bed"]) @ (0, -1) > 0.9
    assert front_of(items["desk"]) @ (1, 0) > 0.9
    assert front_of(items["cabinet"]) @ (-1, 0) > 0.9
    names = [stood.thing.name for stood in (*bedroom.structure, *bedroom.things)]
    for name in ("door", "window", "picture", "curtain", "counter", "sink", "refrigerator"):
        assert name in names, name
    assert bedroom.walk.area >= layout_room.MIN_FLOOR


def test_all_names_of_structure_are_known_to_the_categories(bedroom):
    assert {name: number for number, name in bedroom.structures()[:3]} == {
        "wall": 2001, "floor": 2002, "ceiling": 2003,
    }  # fmt: skip
    makers = (
        openings.door,
        openings.window,
        openings.picture,
        openings.whiteboard,
        openings.mirror,
    )
    names = {make(np.random.default_rng(0), 1.0, 1.0).name for make in makers}
    names |= {name for _, name in bedroom.structures()}
    names |= {"shower", "shower curtain", "radiator", "pipe", "column", "stairs", "ledge", "rug"}
    for name in names:
        assert table()[name].kind == "structure", name


def test_pixels_of_structure_are_where_it_is(config):
    room = rooms.make(config, 0, Library.load(config.library))
    shell, K = room.layout.shell, np.array([[60.0, 0, 79.5], [0, 60, 59.5], [0, 0, 1]])
    middle = np.array([shell.width / 2, shell.depth / 2, 1.3])
    down = room.renderer.view(path.heading_pose(middle, 0.0, -1.5), K, (120, 160)).instances
    assert build.FLOOR in down
    up = room.renderer.view(path.heading_pose(middle, 0.0, 1.5), K, (120, 160)).instances
    assert (build.CEILING in up) == room.layout.ceiling
    for k, stood in enumerate(room.layout.structure):
        if stood.thing.name == "door" and not room.layout.shell.partitions:
            ahead = np.append(stood.footprint.centre, 1.0)
            eye = ahead + np.append(stood.footprint.front * 0.3, 0.6)
            to = ahead - eye
            pose = path.heading_pose(eye, np.arctan2(to[1], to[0]), -0.9)
            view = room.renderer.view(pose, K, (120, 160)).instances
            assert build.FIRST_FIXED + k in view


def test_folder_holds_structure_apart_from_instances(folder, config):
    room = json.loads((folder / "room.json").read_text())
    assert room["layout"] == "bedroom" and room["theme"] == "layout"
    assert [s["id"] for s in room["structure"]] == list(range(2001, 2001 + len(room["structure"])))
    assert "layouts" not in room["config"] and len(room["layouts_sha256"]) == 64
    known = {o["id"] for o in room["objects"] + room["clutter"]}
    for k in range(config.frames):
        instance = read_png(folder / f"instance/{k}.png")
        structure = read_png(folder / f"structure/{k}.png")
        depth = read_png(folder / f"depth/{k}.png")
        assert instance.dtype == structure.dtype == np.uint16
        assert set(np.unique(instance)) <= known | {0}
        assert set(np.unique(structure)) <= {s["id"] for s in room["structure"]} | {0}
        assert ((instance > 0) & (structure > 0)).sum() == 0
        assert ((instance > 0) | (structure > 0))[depth > 0].all()


def test_the_real_measure_reads_structure_and_other_furniture(folder):
    dataset = open_dataset(folder)
    truth = SimulatedTruth(folder, dataset).of(dataset[0])
    kinds = {category.name: category.kind for category in truth.categories.values()}
    assert kinds["refrigerator"] == "other furniture" and kinds["bed"] == "furniture"
    structure = read_png(folder / "structure/0.png")
    assert (truth.instances[structure > 0] == structure[structure > 0]).all()
    shown = {truth.categories[i].name for i in np.unique(truth.instances) if i > 2000}
    assert "wall" in shown and "structure" not in shown


def test_same_seed_gives_identical_files(folder, config, tmp_path):
    again = make_room(config, 0, tmp_path)[0]
    files = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert files == {p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()}
    assert make_room(config, 0, tmp_path)[1] == 0  # a finished room is kept


def test_unfit_layouts_are_skipped_and_counted(config, tmp_path):
    folders, _ = make_rooms(RoomConfig(**{**vars(config), "rooms": 2, "frames": 1}), tmp_path)
    skipped = [json.loads((f / "room.json").read_text())["skipped"] for f in folders]
    assert sum(s.get("fewer than two pieces of furniture", 0) for s in skipped) >= 1


def test_a_layout_without_free_floor_is_unfit(config, library):
    full = [box("bed", (x, y, 0.4), (2, 1.6, 0.8)) for x in (1, 3) for y in (0.8, 2.4, 4.0)]
    with pytest.raises(layout_room.Unfit, match="no free floor"):
        layout_room.furnish(
            Layout("full", tuple(full)), config, Library.load(library), {}, np.random.default_rng(0)
        )


def test_a_file_of_which_no_layout_is_fit_is_refused(config, tmp_path):
    file = tmp_path / "empty.json"
    file.write_text('[{"scene": "a", "boxes": []}]')
    bare = RoomConfig(**{**vars(config), "layouts": str(file)})
    with pytest.raises(ValueError, match="empty.json: none of .* 60 with fewer than two"):
        make_room(bare, 0, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("{}", "got dict, expected a list"),
        ('[{"scene": "a"}]', "entry 0: got"),
        ('[{"scene": 3, "boxes": []}]', "entry 0: got scene 3"),
        (
            '[{"scene": "a", "boxes": [["lamp", 0, 0, 0, 1, 1, 1]]}]',
            r"entry 0 \(a\), box 0: got class",
        ),
        ('[{"scene": "a", "boxes": [["bed", 0, 0, 0, 1, 1]]}]', "box 0: got .* expected .class"),
        ('[{"scene": "a", "boxes": [["bed", 0, 0, 0, 1, 1, -1]]}]', "positive sizes"),
        ('[{"scene": "a", "boxes": [["bed", 0, 0, 0, 1, 1, "x"]]}]', "six numbers"),
    ],
)
def test_bad_files_are_named(tmp_path, text, message):
    file = tmp_path / "bad.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=f"bad.json: .*{message}"):
        read_layouts(file)
    with pytest.raises(FileNotFoundError, match="missing.json"):
        read_layouts(tmp_path / "missing.json")


def test_rooms_by_theme_do_not_know_of_layouts(library):
    about = identity(RoomConfig(library=library, **SMALL), 0, Library.load(library))
    assert about["version"] == 2 and set(about) == {"version", "room", "config", "library_sha256"}
    assert "layouts" not in about["config"]


def test_the_command_takes_a_file_of_layouts():
    import argparse

    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    args = parser.parse_args(["out", "--layouts", "layouts.json"])
    assert cli.config_from(args).layouts == "layouts.json"
