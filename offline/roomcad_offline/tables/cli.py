"""roomcad-offline tables: every table of the paper beside the room benchmark, and Figure 4."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
RESULTS = REPOSITORY / "offline" / "results"


def add_parser(subparsers):
    """Add `tables` to the command line."""
    text = "Tables 1 to 4 and Figure 4 from saved predictions; runs no network"
    parser = subparsers.add_parser("tables", help=text, description=text)
    add = parser.add_argument
    add("--rooms", type=Path, help="folder of the room benchmark (`eval rooms`)")
    add("--runs", type=Path, nargs="*", default=[], help="trainings whose curves are drawn")
    add("--bench", type=Path, default=RESULTS / "bench.json", help="times (default %(default)s)")
    add("--mesh", action="store_true", help="AP mesh for all predictions that lack it (minutes)")
    add("--processes", type=int, default=1, help="for rendering and sampling (default %(default)s)")
    text = "runs that are not here keep their figures of OUT's tables, and pictures stay"
    add("--keep", action="store_true", help=text)
    add("--out", type=Path, default=RESULTS, help="folder (default %(default)s)")
    parser.set_defaults(run=main)


def main(args):
    """Write the tables and print them."""
    from roomcad_offline.tables.rooms import read_rooms
    from roomcad_offline.tables.write import write_tables

    rooms = read_rooms(args.rooms, args.mesh, args.processes)
    texts = write_tables(rooms, trainings(args.runs), args.bench, args.out, args.keep)
    for text in texts.values():
        print(text)


def trainings(folders):
    """{name: folder} of trainings; FileNotFoundError where one has no log yet."""
    for folder in folders:
        if not (folder / "log.csv").is_file():
            raise FileNotFoundError(f"{folder}: no log.csv: not a training, or nothing logged yet")
    return {folder.name: folder for folder in folders}
