"""roomcad-offline rgb: depth and normals of colour images. Trains, judges and ships the networks.

Several GPUs: torchrun --nproc-per-node 4 -m roomcad_offline.cli rgb train-depth FOLDER ...
"""

from pathlib import Path

from roomcad_core.rgb_geometry.model_files import DEPTH, NORMALS
from roomcad_offline.tables.cli import RESULTS


def add_parser(subparsers):
    """Add `rgb` with its commands to the command line."""
    parser = subparsers.add_parser("rgb", help="depth and normals of a colour image")
    commands = parser.add_subparsers(dest="command", required=True)
    for task in (DEPTH, NORMALS):
        train = commands.add_parser(f"train-{task}", help="train; goes on where it was stopped")
        add_train_arguments(train)
        train.set_defaults(run=train_network, task=task)
    evaluate = commands.add_parser("evaluate", help="judge a trained network on images")
    evaluate.add_argument("folder", type=Path, help="folder of the training")
    evaluate.add_argument("data", type=Path, help="a scene, or a folder of scenes")
    evaluate.add_argument("--list", type=Path, help="file with the names of the scenes wanted")
    evaluate.add_argument("--name", help="of the results' folder in FOLDER (default: the data's)")
    evaluate.add_argument("--images", type=int, help="at most, evenly spread (default: all)")
    add_machine_arguments(evaluate)
    evaluate.set_defaults(run=evaluate_network)
    report = commands.add_parser("report", help="one table of what `evaluate` found")
    report.add_argument("folders", type=Path, nargs="+", help="folders of the trainings")
    report.add_argument("--out", type=Path, default=RESULTS, help="folder (default %(default)s)")
    text = "data whose example images are shown, too; may be given several times"
    report.add_argument("--examples", action="append", default=[], metavar="NAME", help=text)
    report.set_defaults(run=report_networks)
    ship = commands.add_parser("ship", help="put a trained and judged network into the models")
    ship.add_argument("folder", type=Path, help="folder of the training")
    ship.add_argument("name", help="how configurations call it, e.g. depth")
    ship.add_argument("--licence", required=True, help="of the weights and the training data")
    ship.add_argument("--models", type=Path, help="models folder (default: the repository's)")
    ship.set_defaults(run=ship_network)


def add_train_arguments(parser):
    """Arguments of train-depth and train-normals."""
    parser.add_argument("folder", type=Path, help="folder of the run")
    parser.add_argument("--train", type=Path, action="append", required=True, metavar="FOLDER",
                        help="a scene or a folder of scenes: RGB-D, or FrameNet's scannet-frames; "
                        "may be given several times")  # fmt: skip
    parser.add_argument("--train-list", type=Path, metavar="FILE",
                        help="their scenes' names, e.g. scannetv2_train.txt")  # fmt: skip
    parser.add_argument("--validation", type=Path, action="append", required=True,
                        metavar="FOLDER", help="scenes to judge on after each epoch")  # fmt: skip
    parser.add_argument("--validation-list", type=Path, metavar="FILE",
                        help="names of these, e.g. scannetv2_val.txt")  # fmt: skip
    parser.add_argument("--encoder", help="mobilenet_v2 or resnet18 (default: NetworkConfig's)")
    parser.add_argument("--encoder-weights", type=Path, metavar="FILE",
                        help="torchvision's, .safetensors (default: from scratch)")  # fmt: skip
    parser.add_argument("--size", help="of the pictures, WxH [px] (default: NetworkConfig's); the "
                        "maps are half of it")  # fmt: skip
    for name, kind in (("epochs", int), ("images", int), ("learning-rate", float), ("seed", int)):
        parser.add_argument(f"--{name}", type=kind, help="(default: TrainConfig's)")
    add_machine_arguments(parser)


def add_machine_arguments(parser):
    """Arguments that say what runs where."""
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default %(default)s)")
    parser.add_argument("--workers", type=int, default=0,
                        help="processes that only read images (default %(default)s)")  # fmt: skip


def train_network(args):
    """Run, or go on with, a training."""
    from roomcad_offline.multi_sparc.group import join_group
    from roomcad_offline.rgb_geometry.config import TrainConfig
    from roomcad_offline.rgb_geometry.samples import Images, Samples
    from roomcad_offline.rgb_geometry.train import Trainer

    group, device = join_group(args.device)
    names = "epochs", "images", "learning_rate", "seed"
    given = {n: getattr(args, n) for n in names if getattr(args, n) is not None}
    config = TrainConfig(network_config(args), **given)
    training = folders(args.train, args.train_list)
    validation = folders(args.validation, args.validation_list)
    if shared := sorted({p.resolve() for p in training} & {p.resolve() for p in validation}):
        raise ValueError(f"--validation: {shared[0]} is trained on ({len(shared)} such scenes)")
    images, judged = (Images(paths, group.leads) for paths in (training, validation))
    about = {"training": [str(p) for p in args.train], "training_images": len(images),
             "validation": [str(p) for p in args.validation]}  # fmt: skip
    samples = Samples(images, config.network, config.samples, config.seed)
    fixed = Samples(judged, config.network, config.samples)
    Trainer(config, samples, fixed, args.folder, group, device, args.encoder_weights, about,
            args.workers).run()  # fmt: skip


def network_config(args):
    """NetworkConfig of parsed arguments."""
    from roomcad_offline.rgb_geometry.config import NetworkConfig

    given = {"encoder": args.encoder} if args.encoder else {}
    if args.size:
        width, _, height = args.size.partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            raise ValueError(f"--size: got {args.size!r}, expected WxH such as 320x240")
        given |= {"width": int(width), "height": int(height)}
    return NetworkConfig(args.task, **given)


def folders(paths, names):
    """All scenes at or below several folders."""
    from roomcad_offline.rgb_geometry.scenes import scene_folders

    return [scene for path in paths for scene in scene_folders(path, names)]


def evaluate_network(args):
    """Judge the network of a run; results, plots and examples go into a folder of the run's."""
    from roomcad_offline.rgb_geometry.evaluate import evaluate, results_text
    from roomcad_offline.rgb_geometry.samples import Images, Samples
    from roomcad_offline.rgb_geometry.trained import load_trained

    trained = load_trained(args.folder, args.device)
    images = Images(folders([args.data], args.list))
    samples = Samples(images, trained.network.config, trained.samples)
    name = args.name or args.data.resolve().name
    out = args.folder / name
    found = evaluate(
        trained.network, samples, trained.trivial, out, name, args.images, args.workers
    )
    print(f"{results_text(found)}\nwritten: {out}")


def report_networks(args):
    """Write the table of what was judged, and print it."""
    from roomcad_offline.rgb_geometry.report import write_report

    print(write_report(args.folders, args.out, args.examples))


def ship_network(args):
    """Ship the network of a run."""
    from roomcad_offline.rgb_geometry.ship import ship_run

    ship_run(args)
