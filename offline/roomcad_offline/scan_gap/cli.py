"""roomcad-offline scan-gap cache|train|evaluate|tables|study: the scan-gap study."""

import argparse
import dataclasses
from pathlib import Path

from roomcad_offline.scan_gap.config import REPOSITORY, StudyConfig, cache_path
from roomcad_offline.scan_gap.recipe_names import RECIPE_NAMES

COMMANDS = {
    "cache": "sample ModelNet40's OFF files (--modelnet) to point clouds, once",
    "train": "train the recipes that are not trained yet; goes on where it stopped",
    "evaluate": "predictions of all trained networks on all test sets",
    "tables": "tables and figures from the predictions; needs no network",
    "ship": "put the networks of finished trainings into the models folder",
    "study": "all of it in one go, from the data at hand",
}
PATHS = {
    "data": "folder of the npz data sets (default: $ROOMCAD_DATA, else ../shared/data)",
    "scanobjectnn": "folder of ScanObjectNN's h5 release, in place of the stand-in data",
    "modelnet": "folder of ModelNet40's OFF files, in place of the npz in --data",
    "runs": "trained networks and caches (default: runs/scan_gap)",
    "out": "results (default: offline/results/scan_gap)",
    "weights": "folder of pointnet_RECIPE.safetensors to evaluate in place of trained runs",
}


def add_parser(subparsers):
    """Add `scan-gap` with its commands to the command line."""
    parser = subparsers.add_parser("scan-gap", help="the scan-gap study: CAD against real scans")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        _add_arguments(command)
        command.set_defaults(run=main)


def _add_arguments(parser):
    """Options of every command; the defaults are StudyConfig's."""
    for name, text in PATHS.items():
        default = getattr(StudyConfig, name)
        parser.add_argument(f"--{name}", type=Path, default=default, help=text, metavar="DIR")
    parser.add_argument(
        "--recipes",
        nargs="+",
        choices=RECIPE_NAMES,
        default=StudyConfig.recipes,
        help="(default: all)",
    )
    for name in ("epochs", "batch", "seed"):
        default = getattr(StudyConfig, name)
        parser.add_argument(
            f"--{name}", type=_positive, default=default, help="(default %(default)s)"
        )
    parser.add_argument(
        "--train",
        action=argparse.BooleanOptionalAction,
        default=StudyConfig.train,
        help="study: train what is not trained; --no-train takes the runs as they are",
    )
    parser.add_argument(
        "--models", type=Path, default=REPOSITORY / "models", help="ship: models folder"
    )
    parser.add_argument(
        "--eleven", action="store_true", help="train for the 11-class protocol as well"
    )


def _positive(text):
    """An integer of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"got {value}, expected at least 1")
    return value


def config_from(args):
    """StudyConfig of parsed arguments; ValueError for folders that are not there."""
    values = {
        f.name: getattr(args, f.name)
        for f in dataclasses.fields(StudyConfig)
        if hasattr(args, f.name)
    }
    for name in ("data", "scanobjectnn", "modelnet", "weights"):
        if values[name] is not None and not values[name].is_dir():
            raise FileNotFoundError(f"--{name}: {values[name]}: no such folder")
    return StudyConfig(**{**values, "recipes": tuple(values["recipes"])})


def main(args):
    """Run one of the commands; returns 0."""
    from roomcad_offline.scan_gap import study

    config = config_from(args)
    if args.command == "cache":
        return _cache(config)
    if args.command == "train":
        study.train_all(config)
        return 0
    if args.command == "ship":
        return _ship(config, args.models)
    if args.command == "evaluate":
        study.evaluate_all(config)
        return 0
    records = study.write_all(config) if args.command == "tables" else study.run_study(config)
    print(
        f"{len(records)} numbers in {config.out / 'summary.json'}; report: {config.out}/README.md"
    )
    return 0


def _ship(config, models):
    """Ship what is trained; an error where nothing is."""
    from roomcad_offline.scan_gap.ship import ship_all

    shipped = ship_all(config, models)
    if not shipped:
        raise ValueError(f"{config.runs}: no finished training to ship")
    print(f"shipped to {models}: {', '.join(shipped)}")
    return 0


def _cache(config):
    """Make the caches of both splits."""
    if not config.modelnet:
        raise ValueError("cache: --modelnet is needed, the folder of ModelNet40's OFF files")
    for split in ("train", "test"):
        print(cache_path(config, split))
    return 0
