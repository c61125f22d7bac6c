"""roomcad-offline eval scene: predictions in the official layouts against Scan2CAD."""

import dataclasses
import json
import logging
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from roomcad_offline.evaluation.annotations import read_annotations
from roomcad_offline.evaluation.appearances import read_appearances
from roomcad_offline.evaluation.load import load_scene_predictions
from roomcad_offline.evaluation.scannet25k import read_split
from roomcad_offline.evaluation.scene_eval import evaluate_scenes
from roomcad_offline.evaluation.scene_report import markdown, report_record
from roomcad_offline.evaluation.scene_rules import PRESETS, preset
from roomcad_offline.evaluation.voxel_grids import read_grids

log = logging.getLogger(__name__)

# Further modules with add_parser(commands), each for one more `eval` command.
MORE = ("roomcad_offline.evaluation.image_cli", "roomcad_offline.room_benchmark.cli")
DEFAULT_OUT = Path("scene_eval.json")


def add_parser(subparsers):
    """Add `eval` with its commands to the command line."""
    parser = subparsers.add_parser("eval", help="score predictions against Scan2CAD annotations")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_scene(commands)
    for name in MORE:
        if find_spec(name) is not None:
            import_module(name).add_parser(commands)


def _add_scene(commands):
    text = "accuracy per scene, by the rules of a published evaluator"
    parser = commands.add_parser("scene", help=text, description=text)
    parser.add_argument(
        "predictions",
        type=Path,
        metavar="PRED",
        help="raw_results.csv, SCENE.csv or a folder of them, or per_frame_preds.json (--frames)",
    )
    parser.add_argument("--annotations", type=Path, required=True, help="full_annotations.json")
    parser.add_argument("--preset", choices=PRESETS, required=True, help="whose rules")
    for name, text in OPTIONS.items():
        parser.add_argument(f"--{name}", type=Path, help=text, metavar="PATH")
    parser.add_argument(
        "--min-score", type=float, help="per-frame files: lowest score (default: the preset's)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=DEFAULT_OUT,
        help="JSON result; the Markdown table lies beside it (default: %(default)s)",
    )
    parser.set_defaults(run=run_scene)


OPTIONS = {
    "appearances": "cad_appearances.json (default: counted in the annotations)",
    "split": "list of the scenes that count, as scannetv2_val.txt (default: the annotated ones)",
    "frames": "folder of scannet_frames_25k, for the camera poses of per-frame predictions",
    "library": "CAD library folder whose models may be predicted without being annotated",
    "grids": ".npz of the CADs' occupied voxels, for the variant with voxel overlap",
}


def run_scene(args):
    """Evaluate, write JSON and Markdown, print the table."""
    rules = preset(args.preset)
    limit = rules.min_score if args.min_score is None else args.min_score
    annotations = read_annotations(args.annotations)
    predictions = load_scene_predictions(args.predictions, args.frames, limit)
    split = _split(args.split, annotations, rules)
    given = {
        "appearances": read_appearances(args.appearances) if args.appearances else None,
        "split": split,
        "library": library_symmetries(args.library) if args.library else None,
        "grids": read_grids(args.grids) if args.grids else None,
        "progress": True,
    }
    results = {
        name: evaluate_scenes(predictions, annotations, variant, **given)
        for name, variant in variants(rules, args.grids is not None).items()
    }
    names = ("predictions", "annotations", *OPTIONS)
    record = report_record(results, {name: getattr(args, name) for name in names})
    write_report(record, args.out)


def variants(rules, with_grids):
    """{name: SceneRules}: any CAD of the class, the very CAD, and one of similar shape."""
    kinds = {"any CAD": "any", "same CAD": "same_cad"}
    if with_grids:
        kinds["voxel IoU"] = "voxel_iou"
    return {name: dataclasses.replace(rules, retrieval=kind) for name, kind in kinds.items()}


def _split(path, annotations, rules):
    """Scenes that count; says so where a default was taken that matters."""
    if path is not None:
        return read_split(path)
    if rules.missing_scenes == "count":
        n = len(annotations.scenes)
        log.warning("no --split: all %d annotated scenes count, also those not predicted", n)
    return None


def library_symmetries(folder):
    """{(category, cad_id): symmetry name of Scan2CAD} of a CAD library folder."""
    from roomcad_core.classes import SYNSETS
    from roomcad_core.datasets.annotations import SYMMETRY_NAMES
    from roomcad_core.library import Library

    names = {ours: theirs for theirs, ours in SYMMETRY_NAMES.items()}
    models = Library.load(folder)
    return {(SYNSETS[model.label], model.id): names[model.symmetry] for model in models}


def write_report(record, path):
    """Write the record as JSON and, beside it, as Markdown; print the table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    table = markdown(record)
    path.with_suffix(".md").write_text(table, encoding="utf-8")
    print(table)
    print(f"written: {path}, {path.with_suffix('.md')}")
