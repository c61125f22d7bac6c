"""The evaluation as a page: real rooms first, simulated ones beside them."""

from __future__ import annotations

from roomcad_core.classes import CLASSES
from roomcad_core.types import OTHER
from roomcad_offline.benchmarks.real.cads import GIVEN, SHOWN
from roomcad_offline.benchmarks.real.figures import OBJECT_IOUS
from roomcad_offline.benchmarks.real.frames import IOUS, NOT_FOUND, NOT_FURNITURE
from roomcad_offline.instances.scores import LEAST
from roomcad_offline.tables.markdown import number, table

TITLES = {"recording": "recordings", "scan": "rendered scans", "simulated": "simulated rooms"}
MOST_FALSE = 12  # kinds of false things named
RULES = f"""\
*Frames*: furniture that shows at least {100 * LEAST:.1f} % of the image is asked for; found = a
piece has its mask at that IoU, whatever its class; both right = found at 0.5 with the right class.
Shown = a piece with one of our classes. It is false if most of its pixels are structure (wall,
door, curtain, counter, picture ...) or a loose prop; not judged if nobody knows what it is, or if
it is furniture outside our classes. *Objects*: what is shown at the end of a room (confirmed
tracks, as in the room file), the axis-aligned box of the posed CAD against true boxes, right =
class and 3D IoU. Only furniture that some frame shows is asked for. Intervals: 95 %, bootstrap
over places."""


def markdown(record: dict) -> str:
    """The page of an evaluation record (cli.evaluation_record)."""
    kinds = record["kinds"]
    sections = [
        "# Real rooms",
        f"`{record['command']}`",
        RULES,
        "## Single frames",
        _lines(frames_table(kinds)),
        "## Objects shown at the end of a room",
        _lines(objects_table(kinds)),
        *_cads(kinds),
        "## By class",
        _lines(class_table(kinds)),
        "## What is shown as furniture and is none",
        *(f"{TITLES[k]}: {false_text(r['frames'])}" for k, r in kinds.items()),
        "## Classes given (rows: true; single frames, IoU 0.5)",
        *(text for k, r in kinds.items() for text in _confusion(k, r["frames"]["confusion"])),
        "## Room by room",
        _lines(room_table(kinds)),
    ]
    return "\n\n".join(sections) + "\n"


def _lines(rows):
    return "\n".join(rows)


def frames_table(kinds: dict) -> list[str]:
    """Lines of the table of single frames, a column a kind."""
    rows = [
        ["rooms (places), frames", *(f"{r['rooms']} ({r['places']}), {r['frames']['frames']}"
                                     for r in kinds.values())],
        ["of these without truth; damaged and not served",
         *(f"{r['frames']['without_truth']}; {r['frames']['damaged']}" for r in kinds.values())],
        ["furniture asked for", *(r["frames"]["recall_0.5"]["counts"][1] for r in kinds.values())],
        *(_row(f"recall, IoU {t}", kinds, "frames", f"recall_{t}") for t in IOUS),
        _row("class right of those found (0.5)", kinds, "frames", "class_right"),
        _row("both right", kinds, "frames", "both_right"),
        _row("false share of shown pieces", kinds, "frames", "false_share"),
        _row("shown pieces that are one true piece (0.5)", kinds, "frames", "precision"),
        *(["mAP of masks (COCO), IoU " + t, *(with_interval(r["frames"]["ap"].get(t))
                                              for r in kinds.values())] for t in map(str, IOUS)),
    ]  # fmt: skip
    return table(["", *(TITLES[k] for k in kinds)], rows)


def objects_table(kinds: dict) -> list[str]:
    """Lines of the table of final objects, a column a kind."""
    with_boxes = {k: r for k, r in kinds.items() if r["objects"]}
    rows = [["true boxes", *(r["objects"]["recall_0.25"]["counts"][1]
                             for r in with_boxes.values())]]  # fmt: skip
    for t in OBJECT_IOUS:
        rows += [_row(f"{name}, 3D IoU {t}", with_boxes, "objects", f"{key}_{t}")
                 for name, key in (("precision", "precision"), ("recall", "recall"), ("F1", "f1"),
                                   ("mAP (VoteNet)", "map"))]  # fmt: skip
    rows += [
        [f"shown: {fate}", *(r["objects"]["fates"][fate] for r in with_boxes.values())]
        for fate in next(iter(with_boxes.values()))["objects"]["fates"]
    ] if with_boxes else []  # fmt: skip
    rows += [
        _row("ghosts a room", with_boxes, "objects", "ghosts_a_room"),
        ["calibration error (ECE) of the shown probabilities",
         *(_ece(r["objects"]["reliability"]) for r in with_boxes.values())],
        ["frames that show an object until it is right, median (right at some time)",
         *(_until(r["objects"]["frames_until_right"]) for r in with_boxes.values())],
    ]  # fmt: skip
    return table(["", *(TITLES[k] for k in with_boxes)], rows)


def _row(name, kinds, part, key):
    return [name, *(with_interval(r[part][key]) for r in kinds.values())]


def with_interval(figure: dict | None) -> str:
    """`0.43 (0.31-0.55)` of a figure with its interval; a dash where it is not defined."""
    if not figure or figure["value"] is None:
        return "-"
    text = number(figure["value"], 2)
    if figure["interval_95"]:
        text += " ({:.2f}-{:.2f})".format(*figure["interval_95"])
    return text


def _ece(reliability):
    if not reliability:
        return "-"
    shown, right = reliability["mean_probability"], reliability["right"]
    return f"{reliability['ece']:.2f} (mean {shown:.2f}, right {right:.2f})"


def _until(times):
    return f"{number(times['median'], 0)} ({times['right_at_some_time']} of {times['objects']})"


def class_table(kinds: dict) -> list[str]:
    """Lines: a row a class; of each kind views asked, recall, class right, boxes found."""
    head, rows = ["class"], []
    for k in kinds:
        head += [f"{TITLES[k]}: views", "recall", "both right", "boxes", "found", "shown", "right"]
    for c in CLASSES:
        row = [c]
        for r in kinds.values():
            views = r["frames"]["by_class"].get(c)
            boxes = (r["objects"] or {"by_class": {}})["by_class"].get(c)
            row += _views_cells(views) + (
                [boxes[n] for n in ("true", "found", "shown", "right")] if boxes else [""] * 4
            )
        if any(cell != "" for cell in row[1:]):
            rows.append(row)
    return table(head, rows)


def _views_cells(views):
    if not views:
        return ["", "", ""]
    n = views["true"]
    return [n, number(views["found_0.5"] / n, 2), number(views["right"] / n, 2)]


def false_text(frames: dict) -> str:
    """What the false pieces of a kind really are, most frequent first, and what they are called."""
    parts = []
    for name, shown in list(frames["shown_false"].items())[:MOST_FALSE]:
        most = ", ".join(f"{c} {n}" for c, n in list(shown.items())[:3])
        parts.append(f"{name} {sum(shown.values())} ({most})")
    return ("; ".join(parts) or "none") + f". Not judged: {frames['not_judged']}."


def _confusion(kind, confusion):
    if not confusion:
        return []
    columns = [
        c for c in (*CLASSES, OTHER, NOT_FOUND) if any(c in row for row in confusion.values())
    ]
    rows = [
        [true, *(confusion[true].get(c, "") for c in columns)]
        for true in (*CLASSES, NOT_FURNITURE)
        if true in confusion
    ]
    return [f"{TITLES[kind]}:", _lines(table(["", *columns], rows))]


def _cads(kinds):
    """Section on CAD poses, where some room has annotated ones."""
    with_cads = {k: r["cads"] for k, r in kinds.items() if r["cads"]}
    head = "## CAD poses right (class; 20 cm, 20 degrees, 20 %)"
    if not with_cads:
        return [head, "not run: no room has Scan2CAD annotations (full_annotations.json)"]
    names = {
        SHOWN: "what is shown at the end",
        "own": "best view, own masks, classes and CADs",
        "mask": "best view, true masks",
        "class": "best view, true masks and classes",
        "cad": "best view, true masks, classes and CAD ids",
    }
    rows = [[names[g], *(_pair(c["objects"].get(g), c["not_run"].get(g))
                         for c in with_cads.values())] for g in (SHOWN, *GIVEN)]  # fmt: skip
    rows += [
        [names[g].replace("best view", "single views"),
         *(_pair(c["views"].get(g), c["not_run"].get(g)) for c in with_cads.values())]
        for g in GIVEN
    ]  # fmt: skip
    return [head, _lines(table(["", *(TITLES[k] for k in with_cads)], rows))]


def _pair(pair, not_run):
    if pair is None:
        return f"not run: {not_run or 'no view'}"
    right, of = pair
    text = f"{right} of {of} ({right / of:.2f})" if of else "-"
    return text + (f"; not run in {not_run}" if not_run else "")


def room_table(kinds: dict) -> list[str]:
    """Lines: a row a room."""
    head = ["room", "views", "found", "both right", "shown false / judged", "true boxes", "right",
            "F1", "duplicate", "wrong class", "ghost", "not judged"]  # fmt: skip
    rows = []
    for r in kinds.values():
        for name, room in r["by_room"].items():
            false = f"{room['false']} / {room['judged']}"
            f1 = number(room.get("f1"), 2)
            cells = [room.get(k, "-") for k in ("true_boxes", "right_objects", *head[8:])]
            cells.insert(2, f1)
            rows.append([name, room["views"], room["found"], room["right"], false, *cells])
    return table(head, rows)
