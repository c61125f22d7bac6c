"""roomcad-offline align ablate: every variant of `variants` trained at one and the same budget.

FOLDER/NAME is a training like any other (`align train`), so each goes on where it was stopped,
and `eval rooms-predict` takes it. FOLDER/ablation.json lists how far all of them are.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

STEPS = 4000  # of the default budget: a few minutes each on a GPU, an hour on two cores
WARM_UP = 6  # the learning rate rises for no more than one step in so many
LISTED = ("step", "align", "classify", "accuracy", "accuracy_best_of_four", "auc")


def add_parser(commands):
    """Add `ablate` to the commands of `align`."""
    parser = commands.add_parser("ablate", help="train scaled-down variants at equal budgets")
    add = parser.add_argument
    add("folder", type=Path, help="folder that gets one training a variant")
    add("--steps", type=int, default=STEPS, help="of every variant (default %(default)s)")
    add("--images", type=int, help="of a step (default: TrainConfig's)")
    add("--seed", type=int, help="(default: TrainConfig's)")
    add("--only", action="append", default=[], metavar="NAME", help="only these variants")
    add("--library", action="append", default=[], metavar="FOLDER[:train]",
        help="as for `align train`")  # fmt: skip
    add("--scene", action="append", default=[], metavar="NAME=VALUE", help="as for `align train`")
    add("--device", default="cpu", help="cpu or cuda (default %(default)s)")
    parser.set_defaults(run=main)


def main(args):
    """Train what is missing of the ablations."""
    from roomcad_offline.multi_sparc.cli import scene_config, sources
    from roomcad_offline.multi_sparc.scenes import CadBank
    from roomcad_offline.multi_sparc.train import TrainConfig

    given = {n: getattr(args, n) for n in ("images", "seed") if getattr(args, n) is not None}
    rise = min(TrainConfig.warm_up, args.steps // WARM_UP)
    config = TrainConfig(steps=args.steps, warm_up=rise, **given)
    bank = CadBank.build(sources(args.library or [""]), progress=True).to(args.device)
    print(bank.describe())
    print(ablate(args.folder, bank, config, scene_config(args.scene), args.only))


def ablate(folder, bank, config, scenes, only=()):
    """Train the variants, one after the other.

    Args:
        folder: of all trainings.
        bank: CadBank.
        config: TrainConfig; its preset is each variant's, all else is common to all.
        scenes: SceneConfig; a variant with more slots gets images with as many.
        only: names of variants; () = all.

    Returns:
        Path of ablation.json.

    Raises:
        ValueError: a name is unknown, or the seed is that of the validation scenes.
    """
    from roomcad_offline.multi_sparc.cli import VALIDATION_SEED
    from roomcad_offline.multi_sparc.variants import variants

    known = variants()
    unknown = sorted(set(only) - set(known))
    if unknown:
        raise ValueError(f"no variant {', '.join(unknown)}; there are {', '.join(known)}")
    if config.seed == VALIDATION_SEED:
        raise ValueError(f"seed: {VALIDATION_SEED} is that of the validation scenes")
    for name in only or known:
        train_variant(name, known[name], Path(folder), bank, config, scenes)
        write_list(Path(folder), known)
    return Path(folder) / "ablation.json"


def train_variant(name, model, folder, bank, config, scenes):
    """Run, or go on with, the training of one variant."""
    from roomcad_offline.multi_sparc.cli import VALIDATION_BATCH, VALIDATION_SEED
    from roomcad_offline.multi_sparc.scenes import SceneGenerator
    from roomcad_offline.multi_sparc.train import Trainer
    from roomcad_offline.multi_sparc.variants import preset_name, slots

    own = dataclasses.replace(config, preset=preset_name(name))
    scenes = dataclasses.replace(scenes, n_mul=slots(model, scenes.n_mul))
    fixed = SceneGenerator(bank, scenes, VALIDATION_SEED)
    batches = -(-config.judged_images // VALIDATION_BATCH)
    size = min(VALIDATION_BATCH, config.judged_images)
    validation = [fixed.batch(size, step) for step in range(batches)]
    training = SceneGenerator(bank, scenes, config.seed)
    Trainer(own, training, validation, folder / name, model=model).run()


def write_list(folder, known):
    """ablation.json: steps, images and last figures of every variant begun so far."""
    from roomcad_offline.multi_sparc.curves import read_log

    begun = {}
    for name in known:
        path = folder / name / "log.csv"
        if not path.is_file():
            continue
        columns = read_log(path)
        config = json.loads((folder / name / "config.json").read_text())
        last = {c: columns[c][1][-1] for c in LISTED if c in columns}
        begun[name] = {"images_a_step": config["images"], **last}
    (folder / "ablation.json").write_text(json.dumps(begun, indent=1) + "\n")
