"""roomcad-offline align train: pre-training of Multi-SPARC on synthetic scenes, fine-tuning.

Several GPUs: torchrun --nproc-per-node 4 -m roomcad_offline.cli align train FOLDER --device cuda
"""

import dataclasses
import json
from pathlib import Path

from roomcad_core.config import INPUTS

VALIDATION_SEED = 987_654  # scenes that are never trained on; --seed must be another
VALIDATION_BATCH = 20


def add_parser(subparsers):
    """Add `align` with its commands to the command line."""
    from roomcad_offline.multi_sparc import ablate, finetune
    from roomcad_offline.multi_sparc.benchmark import cli as benchmark

    parser = subparsers.add_parser("align", help="Multi-SPARC, the alignment network")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="pre-train; goes on where it was stopped")
    train.add_argument("folder", type=Path, help="folder of the run")
    train.add_argument(
        "--library", action="append", default=[], metavar="FOLDER[:train]",
        help="CAD library, may be given several times; :train leaves out its benchmark half "
        "(default: the built-in library)",
    )  # fmt: skip
    train.add_argument("--device", default="cpu", help="cpu or cuda (default %(default)s)")
    for name, kind in (("preset", str), ("steps", int), ("images", int), ("seed", int)):
        train.add_argument(f"--{name}", type=kind, help="(default: TrainConfig's)")
    shares = {"judged-share": "of the images", "cool-down": "of the steps",
              "own-share": "of the judged images, while it cools down"}  # fmt: skip
    for name, of in {"learning-rate": "", **shares}.items():
        train.add_argument(f"--{name}", type=float, help=f"{of} (default: TrainConfig's)".strip())
    train.add_argument("--scene", action="append", default=[], metavar="NAME=VALUE",
                       help="a number of SceneConfig, e.g. room_share=1")  # fmt: skip
    train.add_argument("--mode", choices=INPUTS,
                       help="for the depth of a sensor, or colour alone (default: "
                       "SamplingConfig's)")  # fmt: skip
    finetune.add_arguments(train)
    train.set_defaults(run=train_network)
    ablate.add_parser(commands)
    add_calibrate(commands)
    add_ship(commands)
    speed = commands.add_parser("speed", help="measure the exported loop on this machine")
    speed.set_defaults(run=measure_speed)
    benchmark.add_parser(commands)


def add_ship(commands):
    """Add `ship` to the commands of `align`."""
    parser = commands.add_parser("ship", help="put a trained network into the models folder")
    parser.add_argument("folder", type=Path, help="folder of the training")
    parser.add_argument("name", help="how configurations call it, e.g. live")
    parser.add_argument("--models", type=Path, help="models folder (default: the repository's)")
    parser.add_argument("--updates", type=int, nargs="+",
                        help="numbers of updates, a file each (default: ship.UPDATES)")  # fmt: skip
    parser.set_defaults(run=ship_network)


def add_calibrate(commands):
    """Add `calibrate` to the commands of `align`."""
    parser = commands.add_parser("calibrate", help="make the score of a pose a probability")
    parser.add_argument("folder", type=Path, help="folder of the training")
    parser.add_argument("rooms", type=Path, help="folder of simulated rooms whose models were not "
                        "trained on, e.g. runs/classifier/rooms/val")  # fmt: skip
    parser.set_defaults(run=calibrate_network)


def calibrate_network(args):
    """Fit the weights of the score."""
    from roomcad_offline.multi_sparc.calibrate import calibrate_run
    from roomcad_offline.multi_sparc.finetune import scene_folders

    print(json.dumps(calibrate_run(args.folder, scene_folders(args.rooms)), indent=1))


def ship_network(args):
    """Ship the averaged weights of a training."""
    from roomcad_offline.multi_sparc.ship import ship_run

    ship_run(args)


def measure_speed(args):
    """Time the exported loop against sequential passes."""
    from roomcad_offline.multi_sparc.speed import print_speed

    print_speed()


def train_network(args):
    """Run, or go on with, a pre-training or fine-tuning."""
    from roomcad_offline.multi_sparc import finetune
    from roomcad_offline.multi_sparc.group import join_group
    from roomcad_offline.multi_sparc.sampling import SamplingConfig
    from roomcad_offline.multi_sparc.scenes import CadBank, SceneGenerator
    from roomcad_offline.multi_sparc.train import TrainConfig, Trainer

    group, device = join_group(args.device)
    names = ("preset", "steps", "images", "seed")
    names += ("learning_rate", "judged_share", "own_share", "cool_down")
    given = {n: getattr(args, n) for n in names if getattr(args, n) is not None}
    if args.mode:
        given["sampling"] = SamplingConfig(mode=args.mode)
    config = TrainConfig(**given)
    if config.seed == VALIDATION_SEED:
        raise ValueError(f"--seed: {VALIDATION_SEED} is that of the validation scenes")
    bank = CadBank.build(sources(args.library or [""]), progress=group.leads).to(device)
    if group.leads:
        print(bank.describe())
    scenes = SceneGenerator(bank, scene_config(args.scene), config.seed, group.rank)
    fixed = SceneGenerator(bank, scenes.config, VALIDATION_SEED)
    n = -(-config.judged_images // VALIDATION_BATCH)
    validation = [fixed.batch(VALIDATION_BATCH, step) for step in range(n)]
    mixed = finetune.with_recorded(args, config, scenes, group)
    start, about = finetune.start_weights(args), finetune.about(args)
    Trainer(config, mixed, validation, args.folder, group, start=start, about=about).run()


def sources(words):
    """Sources of FOLDER[:train] words."""
    from roomcad_core.library import Library
    from roomcad_offline.multi_sparc.scenes import Source

    return [Source(Library.load(word)) for word in words]


def scene_config(words):
    """SceneConfig with NAME=VALUE words; ValueError for what it does not have."""
    from roomcad_offline.multi_sparc.scenes import SceneConfig

    kinds = {f.name: type(f.default) for f in dataclasses.fields(SceneConfig)}
    values = {}
    for word in words:
        name, _, value = word.partition("=")
        if kinds.get(name) not in (int, float):
            raise ValueError(f"--scene {word}: SceneConfig has no number {name!r}")
        values[name] = kinds[name](value)
    return SceneConfig(**values)
