"""roomcad-offline temporal ROOMS: what tracks save, and what they cost."""

from __future__ import annotations

import dataclasses
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
ALIGNERS = ("icp", "multi_sparc", "truth")


def add_parser(subparsers):
    """Add `temporal` to the command line."""
    parser = subparsers.add_parser(
        "temporal", help="tracks against four initialisations every frame"
    )
    parser.add_argument("rooms", type=Path, help="folder of simulated rooms, or one of them")
    parser.add_argument("--aligner", choices=ALIGNERS, default="multi_sparc",
                        help="truth: a stand-in without weights (default %(default)s)")  # fmt: skip
    parser.add_argument("--given", choices=("own", "cad"), default="own",
                        help="own stages or all but poses (default %(default)s)")  # fmt: skip
    parser.add_argument("--smaller", type=int, default=1, metavar="N",
                        help="only the first 1/N of the frames of each room")  # fmt: skip
    parser.add_argument("--config", type=Path, help="YAML of settings that differ from defaults")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "offline" / "results",
                        help="folder for temporal.{json,md,png}")  # fmt: skip
    parser.set_defaults(run=main)


def main(args):
    """Measure all rooms and write the report; returns 0."""
    from roomcad_core import config as configs
    from roomcad_offline.temporal.run import measure

    if args.smaller < 1:
        raise ValueError(f"--smaller: got {args.smaller}, expected at least 1")
    config = configs.load(args.config) if args.config else configs.PipelineConfig()
    if args.aligner != "truth":
        align = dataclasses.replace(config.align, aligner=args.aligner)
        config = dataclasses.replace(config, align=align)
    print(measure(args.rooms, config, args.aligner, args.given, args.smaller, args.out))
    return 0
