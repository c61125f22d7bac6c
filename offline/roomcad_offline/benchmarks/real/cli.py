"""roomcad-offline real evaluate DATA... --out FOLDER: how good the robot is in real rooms."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from roomcad_offline.scans.config import ScanConfig

REPOSITORY = Path(__file__).resolve().parents[4]
RESULTS = REPOSITORY / "offline" / "results"
# How scans are walked through: half a metre between frames would be too far to follow objects.
SCANS = ScanConfig(frames=60, fps=3.0)


def add_parser(subparsers):
    """Add `real` with its commands to the command line."""
    parser = subparsers.add_parser("real", help="the robot's figures in real rooms")
    commands = parser.add_subparsers(dest="command", required=True)
    text = "predict every room once, score it against all truth it has, draw what to judge by"
    judge = commands.add_parser("evaluate", help=text, description=text)
    judge.add_argument(
        "data",
        type=Path,
        nargs="+",
        help="rooms or folders of rooms: frames with instance-filt/ and label-filt/, or with"
        " scan2cad/ and boxes.json; ScanNet scans (rendered first); simulated rooms",
    )
    judge.add_argument("--out", type=Path, required=True, help="folder of predictions and results")
    judge.add_argument("--config", type=Path, help="YAML of settings that differ from defaults")
    judge.add_argument(
        "--folds",
        type=Path,
        help="YAML: a list of {config, places}: what judges places that other networks learnt from",
    )
    judge.add_argument("--every", type=int, default=1, help="serve every n-th frame (default: 1)")
    judge.add_argument("--seed", type=int, default=0, help="of the intervals (default: 0)")
    judge.add_argument("--no-pictures", action="store_true", help="figures only")
    judge.add_argument(
        "--publish",
        action="store_true",
        help="for maintainers: also write offline/results/real.{json,md}; pictures of others'"
        " rooms are not ours to publish",
    )
    judge.set_defaults(run=run_evaluate)
    several = commands.add_parser("compare", help="single frames of several evaluations, one table")
    several.add_argument("evaluations", nargs="+", metavar="NAME=FILE", help="a real.json each")
    several.add_argument("--out", type=Path, required=True, help="the markdown file to write")
    several.set_defaults(run=run_compare)
    gate = commands.add_parser("gate", help="the figures that `make test` watches, beside the pins")
    gate.set_defaults(run=run_gate)


def run_evaluate(args):
    """Evaluate, write real.json, real.md and pictures; print the tables."""
    from roomcad_core import config as configs
    from roomcad_offline.benchmarks.real.evaluate import evaluate
    from roomcad_offline.benchmarks.real.folds import Robots, read_folds
    from roomcad_offline.benchmarks.real.report import markdown
    from roomcad_offline.benchmarks.real.sources import find_sources

    if args.every < 1:
        raise ValueError(f"--every: got {args.every}, expected at least 1")
    config = configs.load(args.config) if args.config else configs.PipelineConfig()
    robots = Robots(config, read_folds(args.folds) if args.folds else None)
    args.out.mkdir(parents=True, exist_ok=True)
    sources = find_sources(args.data, args.out / "rendered", SCANS)
    results = evaluate(sources, robots, args.out, args.every)
    record = evaluation_record(results, args)
    text = markdown(record)
    for folder in (args.out, *([RESULTS] if args.publish else [])):
        (folder / "real.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (folder / "real.md").write_text(text, encoding="utf-8")
    if not args.no_pictures:
        draw(results, record, args.out)
    print(text)
    print(f"written: {args.out / 'real.json'}, real.md, pictures/")


def run_compare(args):
    """Write and print the table."""
    from roomcad_offline.benchmarks.real.compare import markdown, read_named

    text = markdown(dict(map(read_named, args.evaluations)))
    args.out.write_text(text, encoding="utf-8")
    print(text)


def evaluation_record(results, args) -> dict:
    """Plain values of a whole evaluation."""
    from roomcad_offline.benchmarks.real.figures import kind_record

    folders = " ".join(path.name for path in args.data)
    more = f" --every {args.every}" if args.every > 1 else ""
    more += f" --folds {args.folds.name}" if args.folds else ""
    return {
        "command": f"roomcad-offline real evaluate {folders} --out OUT{more}",
        "config": args.config.name if args.config else "shipped defaults",
        "folds": args.folds.name if args.folds else None,
        "kinds": {kind: kind_record(result, args.seed) for kind, result in results.items()},
    }


def draw(results, record, out: Path) -> None:
    """All pictures into out/pictures."""
    from tqdm import tqdm

    from roomcad_offline.benchmarks.real.pictures import draw_reliability, draw_room
    from roomcad_offline.benchmarks.real.predictions import Predictions
    from roomcad_offline.benchmarks.real.room import Room

    folder = out / "pictures"
    folder.mkdir(exist_ok=True)
    sources = [room.source for result in results.values() for room in result.rooms]
    for source in tqdm(sources, "pictures", unit="room", file=sys.stderr):
        predictions = Predictions(out / "predictions" / source.name)
        draw_room(Room.open(source), predictions, folder)
    draw_reliability(record["kinds"], folder / "reliability.png")


def run_gate(args):
    """Print the figures of the gate beside the pinned ones; returns 1 where one has fallen."""
    import tempfile

    from roomcad_offline.benchmarks.real.gate import FIGURES, fallen, measure, pins
    from roomcad_offline.tables.markdown import number, table

    with tempfile.TemporaryDirectory() as work:
        measured = measure(Path(work))
    rows = [
        [kind, *(f"{number(figures[f], 3)} ({number(pins()[kind][f], 3)})" for f in FIGURES)]
        for kind, figures in measured.items()
    ]
    print("\n".join(table(["measured (pinned)", *FIGURES], rows)))
    worse = [text for kind, figures in measured.items() for text in fallen(kind, figures)]
    print("\n".join(["the gate fails:", *worse]) if worse else "the gate holds")
    return 1 if worse else 0
