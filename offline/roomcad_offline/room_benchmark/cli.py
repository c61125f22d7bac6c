"""roomcad-offline eval rooms, rooms-predict, rooms-score: the room benchmark from end to end."""

from __future__ import annotations

from pathlib import Path

SOURCE = Path("runs/classifier/cad/sweethome3d")  # where `classifier data` puts the library


def add_parser(commands):
    """Add the three commands to those of `eval`."""
    from roomcad_core.config import INPUTS, RGB_STARTS
    from roomcad_offline.room_benchmark.variant import INITIALISATIONS, SELECT

    make = commands.add_parser("rooms", help="make the room benchmark; finished parts are kept")
    _add_folder(make)
    make.add_argument("--library", type=Path, default=SOURCE,
                      help="Sweet Home 3D library, used once (default %(default)s)")  # fmt: skip
    make.add_argument("--smaller", type=int, default=1, help="divide the number of rooms by this")
    make.set_defaults(run=run_make)

    predict = commands.add_parser("rooms-predict", help="run a method over the benchmark, once")
    _add_folder(predict)
    add = predict.add_argument
    add("method", help="`gt`, `icp`, `robot` (the shipped network as the robot runs it), or the"
        " folder of a training of Multi-SPARC, or a shipped align_NAME.safetensors")  # fmt: skip
    add("--name", help="of the folder in FOLDER/predictions (default: the method's; with --input"
        " rgb it ends in -rgb)")  # fmt: skip
    add("--detections", choices=("detected", "true"), help="(default: the variant's)")
    add("--initialisations", choices=INITIALISATIONS, help="(default: the variant's)")
    add("--updates", type=int, help="pose updates before the scoring pass")
    add("--select", choices=SELECT, help="which initialisation is taken")
    add("--single", action="store_true", help="align every object by itself")
    add("--input", choices=INPUTS, help="rgb: depth and normals are predicted from colour (default:"
        " the variant's)")  # fmt: skip
    for task in ("depth", "normals"):
        add(f"--{task}", metavar="RUN", help=f"with --input rgb: training of the {task} network"
            " (default: the shipped one)")  # fmt: skip
    add("--rgb-start", choices=RGB_STARTS, help="with --input rgb: objects start 3 m away, or"
        " behind the predicted depth (default: the variant's)")  # fmt: skip
    add("--device", default="cpu", help="cpu or cuda (default %(default)s)")
    predict.set_defaults(run=run_predict)

    score = commands.add_parser("rooms-score", help="score what was predicted, from the files")
    _add_folder(score)
    score.add_argument("names", nargs="*", help="of predictions (default: all)")
    score.add_argument("--mesh", action="store_true", help="AP mesh, too (minutes)")
    score.add_argument("--processes", type=int, default=1, help="(default %(default)s)")
    score.set_defaults(run=run_score)


def _add_folder(parser):
    parser.add_argument("folder", type=Path, help="folder of the room benchmark")


def run_make(args):
    """Run `eval rooms`."""
    from roomcad_core.library import Library
    from roomcad_offline.room_benchmark.build import build
    from roomcad_offline.room_benchmark.config import BenchmarkConfig

    source = Library.load(args.library) if (args.library / "library.json").exists() else None
    built = build(args.folder, source, BenchmarkConfig().smaller(args.smaller))
    print(f"{args.folder}: {len(built.scenes)} rooms, {built.frames} frames")


def run_predict(args):
    """Run `eval rooms-predict`."""
    from roomcad_offline.room_benchmark.build import Built
    from roomcad_offline.room_benchmark.predict import predict
    from roomcad_offline.room_benchmark.variant import Variant

    names = ("detections", "initialisations", "updates", "select")
    names += ("input", "depth", "normals", "rgb_start")
    given = {n: getattr(args, n) for n in names if getattr(args, n) is not None}
    variant = Variant(args.method, joint=not args.single, **given)
    name = args.name or default_name(variant)
    print(predict(Built.open(args.folder), name, variant, args.device))


def default_name(variant):
    """Of the predictions of a Variant."""
    from roomcad_offline.multi_sparc.shipped import name_of

    name = name_of(variant.method)
    ending = "-rgb" if variant.input == "rgb" else ""
    return name if name.endswith(ending) else name + ending


def run_score(args):
    """Run `eval rooms-score`."""
    from roomcad_offline.room_benchmark.build import Built
    from roomcad_offline.room_benchmark.score import finished, score_run, summary

    built = Built.open(args.folder)
    names = args.names or finished(built.folder)
    if not names:
        raise ValueError(f"{args.folder}: nothing is predicted yet: run `eval rooms-predict`")
    for name in names:
        print(summary(name, score_run(built, name, args.mesh, args.processes)))
