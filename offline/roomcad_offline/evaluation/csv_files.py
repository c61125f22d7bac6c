"""Predicted poses in CSV files: raw_results.csv of all scenes, or one file a scene.

raw_results.csv (ROCA, SPARC) has a header; a per-scene file (Scan2CAD) has none and may end
after the scales. Categories come with or without their leading zero; quaternions are wxyz in
the files. Poses lead to the scan. An empty cell among the numbers counts as NaN, as pandas has it.
"""

import csv
from pathlib import Path

import numpy as np

from roomcad_offline.evaluation.checks import checked
from roomcad_offline.evaluation.records import Predictions, Problem

NUMBERS = ("tx", "ty", "tz", "qw", "qx", "qy", "qz", "sx", "sy", "sz")
SCENE_COLUMNS = ("objectCategory", "alignedModelId", *NUMBERS, "object_score")
RAW_COLUMNS = ("id_scan", *SCENE_COLUMNS)
IMAGE_COLUMNS = ("image", "detection")


def read_raw_results(path):
    """Predictions of a raw_results.csv; those without the last columns are read as well.

    Raises ValueError naming file, line and column where the table itself is broken.
    """
    lines = _lines(path)
    if not lines:
        return _predictions([], str(path), (), (_empty(path, "the file"),))
    number, header = lines[0]
    header = [name.strip() for name in header]
    missing = [name for name in RAW_COLUMNS[:-1] if name not in header]
    if missing:
        raise ValueError(f"{path}: line {number}: no column {missing[0]}; got {','.join(header)}")
    rows = [_row(cells, header, f"{path}: line {n}", n) for n, cells in lines[1:]]
    scenes = tuple(dict.fromkeys(row["scene"] for row in rows))
    problems = () if rows else (_empty(path, "the table"),)
    return _predictions(rows, str(path), scenes, problems)


def read_scene_csvs(path):
    """Predictions of a folder of per-scene files SCENE.csv, in order of their names, or of one.

    A file without rows is reported; its scene counts as one that was looked at.
    """
    folder = Path(path)
    paths = [folder] if folder.is_file() else sorted(folder.glob("*.csv"))
    if not paths:
        raise FileNotFoundError(f"{folder}: no *.csv in this folder")
    rows, scenes, problems = [], [], []
    for path in paths:
        scene = path.name.split(".")[0]
        found = read_scene_rows(path, scene)
        rows += found
        scenes.append(scene)
        if not found:
            problems.append(_empty(path, f"scene {scene}"))
    return _predictions(rows, str(folder), tuple(scenes), tuple(problems))


def is_scene_file(path):
    """Whether a CSV file is one scene's: it has no header and starts with a synset number."""
    lines = _lines(path)
    return bool(lines) and lines[0][1][0].strip().removesuffix(".0").isdecimal()


def read_scene_rows(path, scene):
    """Plain rows of one per-scene file."""
    columns = (*SCENE_COLUMNS, *IMAGE_COLUMNS)
    out = []
    for number, cells in _lines(path):
        at = f"{path}: line {number}"
        if not len(SCENE_COLUMNS) - 1 <= len(cells):
            raise ValueError(f"{at}: got {len(cells)} columns, expected {','.join(SCENE_COLUMNS)}")
        # SPARC's flagged results go on after `detection`; nothing of that is a prediction.
        header = columns[: len(cells)]
        row = _row(cells[: len(columns)], header, at, number)
        out.append({**row, "scene": scene, "where": f"{path.name} line {number}"})
    return out


def _lines(path):
    """[(line number, cells)] of the lines that are not blank."""
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        try:
            return [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: line {reader.line_num}: not a CSV table: {error}") from None


def _row(cells, header, at, number):
    """Plain values of one line."""
    if len(cells) != len(header):
        raise ValueError(f"{at}: got {len(cells)} columns, expected {len(header)}")
    named = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    category = named["objectCategory"].removesuffix(".0")
    if not (category.isdecimal() and len(category) <= 8):
        raise ValueError(f"{at}: objectCategory: got {category!r}, expected a synset number")
    image = named.get("image", "")
    return {
        "scene": named.get("id_scan", ""),
        "category": category.zfill(8),
        "cad_id": named["alignedModelId"],
        "numbers": [_number(named[name], name, at) for name in NUMBERS],
        "score": _number(named.get("object_score", "1"), "object_score", at),
        "frame": Path(image).stem,
        "detection": named.get("detection", ""),
        "where": f"line {number}",
    }


def _number(text, name, at):
    try:
        return float(text) if text else float("nan")
    except ValueError:
        raise ValueError(f"{at}: {name}: got {text!r}, expected a number") from None


def _predictions(rows, file, scenes, problems):
    """Checked Predictions of plain rows."""
    numbers = np.array([row["numbers"] for row in rows], float).reshape(-1, len(NUMBERS))
    words = ("scene", "frame", "category", "cad_id", "detection", "where")
    return checked(
        Predictions(
            **{name: np.array([row[name] for row in rows], str) for name in words},
            t=numbers[:, :3],
            q=np.roll(numbers[:, 3:7], -1, axis=1),
            s=numbers[:, 7:],
            score=np.array([row["score"] for row in rows], float),
            space="scan",
            scenes=scenes,
            file=file,
            problems=problems,
        )
    )


def _empty(path, what):
    return Problem(str(path), "line 1", f"{what} holds no prediction", "noted", "empty file")


def write_raw_results(predictions, path):
    """Write a raw_results.csv; where rows name a frame, also SPARC's image and detection."""
    p = predictions
    _check_space(p)
    images = bool((p.frame != "").any())
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*RAW_COLUMNS, *(IMAGE_COLUMNS if images else ())))
        for row in range(len(p)):
            image = _image_cells(p, row) if images else ()
            category = str(int(p.category[row]))
            writer.writerow((p.scene[row], category, *_cells(p, row), *image))


def write_scene_csvs(predictions, folder, leading_zeros=True):
    """Write one SCENE.csv a scene, without header; an empty one for scenes without rows."""
    p = predictions
    _check_space(p)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for scene in dict.fromkeys((*p.scenes, *map(str, p.scene))):
        with (folder / f"{scene}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            for row in np.flatnonzero(p.scene == scene):
                category = p.category[row] if leading_zeros else str(int(p.category[row]))
                image = _image_cells(p, row) if (p.frame != "").any() else ()
                writer.writerow((category, *_cells(p, row), *image))


def _cells(p, row):
    numbers = (*p.t[row], *np.roll(p.q[row], 1), *p.s[row], p.score[row])
    return (p.cad_id[row], *(repr(float(x)) for x in numbers))


def _image_cells(p, row):
    image = f"{p.scene[row]}/color/{p.frame[row]}.jpg" if p.frame[row] else ""
    return image, "" if p.detection is None else p.detection[row]


def _check_space(predictions):
    if predictions.space != "scan":
        raise ValueError("these poses lead to the camera; bring them to the scan first")
