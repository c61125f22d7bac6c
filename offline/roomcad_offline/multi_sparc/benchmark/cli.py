"""roomcad-offline align benchmark: rooms, baseline, networks, stages, tables and pictures."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[4]
SOURCE = Path("runs/classifier/cad/sweethome3d")  # where `classifier data` puts the library


def add_parser(commands):
    """Add `benchmark` to the commands of `align`."""
    parser = commands.add_parser("benchmark", help="accuracy on rooms of unseen CAD models")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/align_benchmark"),
                        help="work folder; what is finished there is kept")  # fmt: skip
    parser.add_argument("--library", type=Path, default=SOURCE,
                        help="built Sweet Home 3D library, for the first time")  # fmt: skip
    parser.add_argument("--smaller", type=int, default=1, help="divide the rooms by this")
    parser.add_argument("--icp", action="store_true", help="judge the ICP baseline")
    parser.add_argument("--network", action="append", default=[], metavar="[NAME=]RUN",
                        help="judge the averaged weights of a training's folder")  # fmt: skip
    parser.add_argument("--polished", action="append", default=[], metavar="MODEL",
                        help="judge a shipped network as the robot uses it")  # fmt: skip
    parser.add_argument("--updates", type=int, default=3, help="pose updates of the main figures")
    parser.add_argument("--stages", action="append", default=[], metavar="ALIGNER",
                        help="where the robot's stages lose: icp or multi_sparc")  # fmt: skip
    parser.add_argument("--model", help="network of aligner multi_sparc (default: AlignConfig's)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default %(default)s)")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "offline" / "results",
                        help="folder for alignment.{json,md} and pictures")  # fmt: skip
    parser.set_defaults(run=main)


def main(args):
    """Run what was asked for, then write the report of everything judged so far."""
    from roomcad_core.config import AlignConfig
    from roomcad_core.library import Library
    from roomcad_offline.multi_sparc.benchmark import rooms
    from roomcad_offline.multi_sparc.benchmark.run import Benchmark
    from roomcad_offline.multi_sparc.benchmark.views import all_views

    source = Library.load(args.library) if (args.library / "library.json").exists() else None
    library, folders = rooms.build(args.folder, source, smaller=args.smaller)
    views = all_views(args.folder, folders, library)
    args.out.mkdir(parents=True, exist_ok=True)
    benchmark = Benchmark(args.folder, library, folders, views, args.out)
    print(f"{len(views)} object views, {sum(v.counted for v in views)} count")
    if args.icp:
        benchmark.aligner("icp", AlignConfig(aligner="icp"))
    for model in args.polished:
        benchmark.aligner(f"{model}_polished", AlignConfig("multi_sparc", model, n_tried=1))
    for word in args.network:
        name, _, run = word.rpartition("=")
        benchmark.network(run, name or Path(run).name, args.updates, args.device)
    for aligner in args.stages:
        benchmark.stages(aligner, args.model)
    print(benchmark.report())
