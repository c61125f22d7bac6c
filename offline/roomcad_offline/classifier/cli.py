"""roomcad-offline classifier: data, training, shipping and figures of the deployed classifier."""

import json
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
RUN = "cad"  # folder of the training below --runs, and the name of its network
DEPLOYED = "deployed"  # what the robot runs: that one, trained on


def add_parser(subparsers):
    """Add `classifier` with its commands to the command line."""
    parser = subparsers.add_parser("classifier", help="the deployed PointNet: train, judge, ship")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run, text in (
        ("data", make_data, "make libraries, simulated rooms and samples"),
        ("train", train_network, "train on CAD only; goes on where it was stopped"),
        ("ship", ship_network, "calibrate and put the weights into the models folder"),
        ("evaluate", evaluate, "judge the shipped weights; tables and pictures"),
        ("ablate", ablate_ingredients, "train with one ingredient left out at a time"),
    ):
        command = commands.add_parser(name, help=text)
        add_arguments(command)
        command.set_defaults(run=run)
    add_tune(commands)
    add_enter(commands)
    add_pool(commands)


def add_tune(commands):
    """Add `tune`."""
    tune = commands.add_parser("tune", help="train on, on frames of rooms with truth")
    tune.add_argument("folder", type=Path, help="folder of the run; samples are kept beside it")
    tune.add_argument("--train", type=Path, action="append", required=True, metavar="FOLDER",
                      help="a room with truth or a folder of them; may be given several "
                      "times")  # fmt: skip
    tune.add_argument(
        "--leave-out",
        action="append",
        default=[],
        metavar="PLACE",
        help="a place (scene0001: all its scans) that is not learnt from",
    )
    tune.add_argument("--library", default="", metavar="FOLDER", help="CAD library whose models "
                      "are scanned, several with commas; empty = the built-in one")  # fmt: skip
    tune.add_argument(
        "--start",
        type=Path,
        required=True,
        metavar="WEIGHTS",
        help="a .safetensors file to begin with",
    )
    tune.add_argument("--modelnet", type=Path, help="npz cache of ModelNet40's training split")
    tune.add_argument("--epochs", type=int, help="(default: TUNING's)")
    tune.set_defaults(run=tune_network)


def tune_network(args):
    """Train on, or go on with that."""
    from dataclasses import replace

    from roomcad_offline.classifier.tune import TUNING, tune
    from roomcad_offline.instances.cli import sources_of
    from roomcad_offline.scan_gap.clouds import data_folder

    modelnet = args.modelnet or data_folder() / "modelnet40_train.npz"
    fit = replace(TUNING.fit, epochs=args.epochs or TUNING.fit.epochs)
    tune(sources_of(args.train), args.library, modelnet, args.folder, args.start,
         tuple(args.leave_out), replace(TUNING, fit=fit))  # fmt: skip


def add_arguments(parser):
    """Arguments that all commands share."""
    parser.add_argument("--runs", type=Path, default=Path("runs/classifier"), help="work folder")
    parser.add_argument("--models", type=Path, default=REPOSITORY / "models", help="shipped models")
    parser.add_argument("--out", type=Path, help="results (default offline/results/classifier)",
                        default=REPOSITORY / "offline" / "results" / "classifier")  # fmt: skip
    parser.add_argument("--data", type=Path, help="data folder (default $ROOMCAD_DATA)")
    parser.add_argument("--modelnet", type=Path, help="npz cache of ModelNet40's training split")
    parser.add_argument("--sweethome3d", type=Path, help="folder of the Sweet Home 3D packages")
    parser.add_argument("--smaller", type=int, default=1, help="divide all data by this")
    parser.add_argument("--epochs", type=int, help="epochs (train: as configured; ablate: 10)")
    parser.add_argument("--rows", type=int, nargs="*", help="ablate: only these rows of the table")


def make_data(args):
    """Make what is missing; prints the numbers of samples and draws some as they are trained on."""
    from roomcad_offline.classifier.augment import AugmentConfig
    from roomcad_offline.classifier.figures import draw_training
    from roomcad_offline.classifier.samples import join

    data = training_data(args)
    for name, samples in data.sources.items():
        print(f"{name:10s} {len(samples)} samples")
    args.out.mkdir(parents=True, exist_ok=True)
    everything = join(list(data.sources.values()))
    draw_training(everything, data.radii, AugmentConfig(), args.out / "training.png")


def training_data(args):
    """TrainingData of the work folder."""
    from roomcad_offline.classifier.data import build_data

    if args.smaller < 1:
        raise ValueError(f"--smaller: got {args.smaller}, expected at least 1")
    modelnet = args.modelnet or (args.data / "modelnet40_train.npz" if args.data else None)
    return build_data(args.runs, modelnet, args.sweethome3d, args.smaller)


def train_config(args):
    """TrainConfig with the epochs asked for."""
    from dataclasses import replace

    from roomcad_offline.classifier.train import TrainConfig

    config = TrainConfig()
    epochs = args.epochs or config.fit.epochs
    return replace(config, fit=replace(config.fit, epochs=epochs))


def train_network(args):
    """Train, or go on with, the deployed network."""
    from roomcad_offline.classifier.train import train

    data = training_data(args)
    train(data.sources, data.radii, args.runs / RUN, train_config(args))


def ship_network(args):
    """Calibrate the trained network on validation rooms and ship it."""
    from roomcad_offline.classifier.evaluate import calibration, read_crops, room_set
    from roomcad_offline.classifier.samples import LABELS
    from roomcad_offline.classifier.ship import as_robot
    from roomcad_offline.classifier.train import trained

    network, config = trained(args.runs / RUN)
    points = config["augment"]["points"]
    plain = as_robot(network, args.runs / RUN, "uncalibrated", LABELS, points)
    found = calibration(room_set(plain, read_crops(args.runs, "val")))
    as_robot(network, args.models, RUN, LABELS, points, **found)
    print(f"shipped to {args.models}: {json.dumps(found)}")


def evaluate(args):
    """Judge the shipped network; writes evaluation.json, README.md and pictures."""
    from roomcad_offline.classifier import figures, report
    from roomcad_offline.classifier.evaluate import judge_all, save_json
    from roomcad_offline.classifier.ship import shipped

    args.out.mkdir(parents=True, exist_ok=True)
    record = judge_all(shipped(args.models, RUN), args.runs, args.data)
    ablation = args.out / "ablation.json"
    if ablation.exists():
        record["ablation"] = json.loads(ablation.read_text())
        figures.draw_ablation(record["ablation"], args.out / "ablation.png")
    save_json(record, args.out / "evaluation.json")
    (args.out / "README.md").write_text(report.markdown(record))
    figures.draw_reliability(record["calibration"], args.out / "reliability.png")
    figures.draw_real(record["real"], args.out / "real.png")
    print(report.markdown(record))


def add_enter(commands):
    """Add `enter`."""
    enter = commands.add_parser("enter", help="put a network that was trained on into a models "
                                "folder; then `pool` says how much it weighs")  # fmt: skip
    enter.add_argument("folder", type=Path, help="folder of the run of `tune`")
    enter.add_argument("name", help="how configurations call it, e.g. deployed")
    enter.add_argument("--models", type=Path, required=True, help="models folder")
    enter.set_defaults(run=enter_network)


def enter_network(args):
    """Put the network of a run into a models folder."""
    from roomcad_offline.classifier.samples import LABELS
    from roomcad_offline.classifier.ship import ship
    from roomcad_offline.classifier.train import trained
    from roomcad_offline.licences import licence_of

    network, config = trained(args.folder)
    points, licence = config["augment"]["points"], licence_of(config["training_rooms"])
    about = {"run": args.folder.resolve().name, "licence": licence}
    spec = ship(network, args.models, args.name, LABELS, points, "trimmed_box", about=about,
                licence=licence)  # fmt: skip
    print(f"{spec.onnx}  sha256 {spec.sha256}")


def add_pool(commands):
    """Add `pool`."""
    pool = commands.add_parser(
        "pool", help="fit and judge how crop and frame are joined to a class"
    )
    pool.add_argument("data", type=Path, nargs="+", metavar="DATA",
                      help="a room with truth or a folder of them")  # fmt: skip
    pool.add_argument("--folds", type=Path, help="YAML as `real evaluate` takes it: networks that "
                      "were not trained on a place")  # fmt: skip
    pool.add_argument("--every", type=int, default=2, help="look at every n-th frame (default: 2)")
    pool.add_argument("--out", type=Path, required=True, help="folder of pooling.json and .md")
    pool.add_argument("--models", type=Path, help="models folder whose manifest gets the numbers "
                      "(default: none)")  # fmt: skip
    pool.set_defaults(run=fit_pool)


def fit_pool(args):
    """Fit, judge, write; enters the numbers in a manifest if told to."""
    from roomcad_core.config import PipelineConfig
    from roomcad_core.manifest import FILE, read_models, write_entry
    from roomcad_offline.benchmarks.real.folds import Robots, read_folds
    from roomcad_offline.classifier.pool import judge, opinions, write
    from roomcad_offline.instances.cli import sources_of

    robots = Robots(PipelineConfig(), read_folds(args.folds) if args.folds else None)
    record = judge(opinions(sources_of(args.data), robots, args.every))
    print(write(record, args.out))
    if args.models:
        entry = read_models(args.models / FILE)[DEPLOYED]
        write_entry(args.models, DEPLOYED, entry | {"pooling": record["pooling"]})


def ablate_ingredients(args):
    """Train the rows of the ablation table; writes ablation.json."""
    from roomcad_offline.classifier.ablate import WITHOUT, ablate
    from roomcad_offline.classifier.evaluate import save_json

    names = tuple(WITHOUT)
    rows = names if args.rows is None else tuple(names[i] for i in args.rows)
    table = ablate(training_data(args), args.runs, args.epochs or 10, rows)
    args.out.mkdir(parents=True, exist_ok=True)
    save_json(table, args.out / "ablation.json")
