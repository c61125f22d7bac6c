"""The table of ScanNet's categories: complete, consistent, and what its names mean for us."""

import logging

import pytest

from roomcad_core.classes import CLASSES
from roomcad_offline.scannet import categories
from roomcad_offline.scannet.categories import by_name, by_nyu40, by_scannet_id, writable_id

VOTENET = (
    *("cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf", "picture"),
    *("counter", "desk", "curtain", "refrigerator", "showercurtrain", "toilet", "sink", "bathtub"),
    "garbagebin",
)
SCAN2CAD = (
    *("bathtub", "bookshelf", "cabinet", "chair", "display", "sofa", "table", "trash bin", "bag"),
    *("basket", "bed", "bench", "keyboard", "file cabinet", "lamp", "laptop", "microwave"),
    *("printer", "stove", "washer"),
)


def test_the_table_has_the_200_raw_names_with_their_ids():
    raw = list(categories._raw().values())
    assert len(raw) == 200
    known = {"wall": 1, "toilet": 17, "bathtub": 42, "trash can": 56, "ottoman": 67}
    known |= {"mattress": 1191, "object": 1163, "furniture": 213, "structure": 1178}
    assert {name: by_name(name).scannet_id for name in known} == known


def test_every_row_has_a_kind_and_furniture_alone_a_label():
    for category in categories.table().values():
        assert category.kind in categories.KINDS, category
        assert (category.label in CLASSES) == (category.kind == "furniture"), category
        assert category.label == "" or category.scannet_id, category
    assert {c.label for c in categories.table().values()} == {"", *CLASSES}


def test_every_nyu40_name_can_be_written_and_read_back():
    assert len(categories.NYU40) == 40
    for number, name in enumerate(categories.NYU40, 1):
        category = by_nyu40(number)
        back = by_scannet_id(writable_id(category))
        assert (category.name, category.nyu40_id) == (name, number)
        assert category.scannet_id and back.label == category.label and back.kind == category.kind


@pytest.mark.parametrize("name", [*VOTENET, *SCAN2CAD, "night_stand", "Refridgerator", "cabinets"])
def test_names_of_other_tools_are_known(name):
    assert name.lower().replace("_", " ") in categories.table()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        *(("armchair", "chair"), ("office chair", "chair"), ("couch", "sofa"), ("sofa", "sofa")),
        *(("end table", "table"), ("nightstand", "cabinet"), ("Night Stand", "cabinet")),
        *(("shelves", "bookshelf"), ("television", "monitor"), ("display", "monitor")),
        *(("garbagebin", "bin"), ("tv_stand", "cabinet"), ("kitchen cabinet", "cabinet")),
    ],
)
def test_names_that_are_furniture_of_ours(name, label):
    assert by_name(name).label == label and by_name(name).is_furniture


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("mattress", "other furniture"), ("sink", "other furniture"), ("pillow", "prop")),
        *(("lamp", "prop"), ("curtain", "structure"), ("kitchen counter", "structure")),
        *(("otherprop", "unknown"), ("otherfurniture", "unknown"), ("unannotated", "unknown")),
        *(("otherstructure", "structure"), ("floor mat", "structure")),
    ],
)
def test_names_that_are_not(name, kind):
    assert by_name(name).kind == kind and not by_name(name).is_furniture


def test_an_unknown_name_is_reported_once(caplog):
    caplog.set_level(logging.WARNING)
    first, second = by_name("flux capacitor"), by_name("flux capacitor")
    assert first == second and (first.name, first.kind, first.label) == (
        *("flux capacitor", "unknown", ""),
    )
    assert caplog.text.count("flux capacitor") == 1
    assert by_scannet_id(9999).kind == by_nyu40(41).kind == "unknown"
    assert "9999" in caplog.text and "NYU40 id 41" in caplog.text
    assert by_scannet_id(0) == by_nyu40(0) == by_name("unannotated")


def test_a_name_without_an_id_is_written_as_one_of_its_kind():
    crib = by_name("crib")
    assert crib.scannet_id == 0 and writable_id(crib) == by_name("furniture").scannet_id
    assert writable_id(by_name("toy")) == by_name("decoration").scannet_id
    assert writable_id(by_name("chair")) == 2
