"""roomcad-offline sensors compare DATASET... --out FILE: what cameras do, side by side."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

FRAMES = 30
TITLE = "# Depth and colour cameras, real and simulated, by the same statistics\n\n"
# What the rows are; the modules say how they are computed.
MEANING = {
    "missing": "share of pixels without depth; in a scan also where the mesh has holes",
    "missing_by_depth": "the same by the distance of the nearest surface [m]",
    "missing_by_angle": "by the angle between its normal and the ray [deg]",
    "missing_by_grey": "by the grey level of the colour image there",
    "missing_in_patches": "share of the missing area in connected patches of so many pixels",
    "edge_gap_px": "missing pixels in a depth step, by the side on which the nearer surface is",
    "edge_without_gap": "share of steps without any",
    "edge_width_px": "pixels of those between 10 % and 90 % of the step",
    "flying": "share of the pixels beside a step that lie between both surfaces",
    "lost_in_next_frame": "share of measured points that the next frame has no depth for",
    "sigma_mm": "median residual of planes fitted to windows of that side, by distance [m]",
    "step_mm": "distance of neighbouring depth values that occur, at that distance [m]",
    "color": "grey levels of 0-255; sharpness is the variance of the Laplacian",
}


def add_parser(subparsers):
    """Add `sensors` with its command `compare` to the command line."""
    parser = subparsers.add_parser("sensors", help="statistics of depth and colour cameras")
    commands = parser.add_subparsers(dest="command", required=True)
    compare = commands.add_parser("compare", help="a table: a column for each dataset")
    compare.add_argument(
        "datasets",
        nargs="+",
        metavar="[NAME=]DATASET[,DATASET...]",
        help="what roomcad reads; those joined by commas share a column",
    )
    compare.add_argument("--out", type=Path, required=True, help="markdown; a .json goes beside")
    compare.add_argument(
        "--frames", type=int, default=FRAMES, help="of each dataset at most (default %(default)s)"
    )
    compare.set_defaults(run=main)


def main(args):
    """Write the table; returns 0."""
    from roomcad_offline.sensor_statistics.frames import measure_frames

    if args.frames < 2:
        raise ValueError(f"--frames: got {args.frames}, expected at least 2")
    columns = {}
    for text in args.datasets:
        name, paths = column(text)
        if name in columns:
            raise ValueError(f"two columns are called {name!r}; write NAME={text}")
        columns[name] = measure_frames(frames_of(paths, args.frames))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(TITLE + legend() + table(columns))
    args.out.with_suffix(".json").write_text(json.dumps(columns, indent=1) + "\n")
    print(f"{args.out}: {', '.join(columns)}")
    return 0


def column(text: str) -> tuple[str, list[Path]]:
    """Name and datasets of an argument [NAME=]DATASET[,DATASET...]."""
    name, equals, rest = text.partition("=")
    paths = [Path(p) for p in (rest if equals else text).split(",")]
    return (name if equals else paths[0].name), paths


def frames_of(paths: list[Path], count: int):
    """About `count` frames of each dataset, in pairs of neighbours spread over it."""
    from roomcad_core.datasets import open_dataset

    for path in paths:
        dataset = open_dataset(path)
        for i in chosen(len(dataset), count):
            yield dataset[i]


def chosen(length: int, count: int) -> list[int]:
    """At most `count` of 0..length-1, in pairs of neighbours that are spread evenly."""
    if length <= count:
        return list(range(length))
    first = np.linspace(0, length - 2, max(count // 2, 1)).astype(int)
    return sorted({int(i) for i in np.concatenate([first, first + 1])})


def legend() -> str:
    """A list of what the rows mean."""
    return "".join(f"- `{name}`: {text}\n" for name, text in MEANING.items()) + "\n"


def table(columns: dict[str, dict[str, dict[str, float]]]) -> str:
    """Markdown of {column: {statistic: {bin: value}}}; `-` where a column has no data."""
    keys: dict[str, dict[str, None]] = {}
    for statistics in columns.values():
        for name, values in statistics.items():
            keys.setdefault(name, {}).update(dict.fromkeys(values))
    lines = [f"| statistic | | {' | '.join(columns)} |", f"|---|---|{'---|' * len(columns)}"]
    for name, bins in keys.items():
        for key in sorted(bins, key=_order):
            cells = [text_of(c.get(name, {}).get(key)) for c in columns.values()]
            lines.append(f"| {name} | {key} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _order(key):
    """Sorting key of a bin: numbers by value, names after them as they came."""
    number = key.split("-")[0].replace(".", "", 1)
    return (0, float(key.split("-")[0])) if number.isdecimal() else (1, 0.0)


def text_of(value: float | None) -> str:
    """A number with three digits, or `-`."""
    return "-" if value is None else f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
