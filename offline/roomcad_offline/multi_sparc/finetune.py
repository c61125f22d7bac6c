"""Fine-tuning for `align train`: starting weights, and recorded frames among synthetic scenes."""

from pathlib import Path


def add_arguments(parser):
    """Arguments of `align train` for fine-tuning."""
    parser.add_argument("--start", type=Path, metavar="RUN",
                        help="go on from the averaged weights of another training, or from a "
                        "shipped align_NAME.safetensors")  # fmt: skip
    parser.add_argument("--recorded", type=Path, action="append", default=[], metavar="FOLDER",
                        help="train on the scenes below it, too: simulated rooms, or "
                        "scannet_frames_25k; may be given several times")  # fmt: skip
    parser.add_argument("--recorded-library", type=Path, metavar="FOLDER",
                        help="CAD library of their annotations (default: simulated rooms name "
                        "theirs)")  # fmt: skip
    parser.add_argument("--annotations", type=Path, metavar="FILE",
                        help="full_annotations.json of all scenes (default: own)")  # fmt: skip
    parser.add_argument("--recorded-share", type=float, default=0.5,
                        help="of a step's images (default %(default)s)")  # fmt: skip


def with_recorded(args, config, scenes, group):
    """SceneGenerator `scenes`, or a Mixture with the recorded scenes that `args` name."""
    from roomcad_offline.multi_sparc.config import preset
    from roomcad_offline.multi_sparc.mixture import Mixture, RecordedScenes

    if not args.recorded:
        return scenes
    model = preset(config.preset)
    how = model.network.n_mul, scenes.config.points, args.annotations, size_of(scenes.config)
    if group.leads:  # the others read what this one writes
        recorded_images(args, how)
    group.wait()
    images = recorded_images(args, how).to(scenes.bank.device)
    recorded = RecordedScenes(images, scenes.config, scenes.seed, scenes.rank)
    return Mixture(scenes, recorded, args.recorded_share)


def recorded_images(args, how):
    """Batch of all images of the recorded scenes, kept in the run's folder."""
    from roomcad_offline.multi_sparc.batch import cat
    from roomcad_offline.multi_sparc.recorded import record_all

    batches = []
    for k, folder in enumerate(args.recorded):
        scenes = scene_folders(folder)
        library = recorded_library(args.recorded_library, scenes[0])
        batches.append(record_all(scenes, args.folder / f"recorded{k}", library, *how))
    return cat(batches)


def scene_folders(folder):
    """The scenes below a folder, sorted: all sub-folders with colour images."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder of recorded scenes")
    found = sorted(p.parent for p in folder.glob("*/color") if p.parent.suffix != ".part")
    if not found:
        raise ValueError(f"{folder}: holds no scene (a folder with color/, depth/ and pose/)")
    return found


def recorded_library(folder, scene):
    """The Library at `folder`; None = the one that a simulated room names."""
    from roomcad_core.library import Library
    from roomcad_offline.classifier.data import room_library

    if folder is not None:
        return Library.load(folder)
    if not (scene / "room.json").is_file():
        raise ValueError(f"{scene}: does not say which CAD library its annotations are of")
    return room_library(scene)


def start_weights(args):
    """State dict of the training that `args` start from, or None."""
    from roomcad_offline.multi_sparc.benchmark.network import load_trained

    return load_trained(args.start).network.state_dict() if args.start else None


def about(args):
    """What config.json remembers of it; {} for a plain pre-training."""
    out = {"start": str(args.start)} if args.start else {}
    if args.recorded:
        out["recorded"] = [str(folder) for folder in args.recorded]
        out["recorded_share"] = args.recorded_share
    return out


def size_of(config):
    """Height, width of the maps of a SceneConfig."""
    return config.height, config.width
