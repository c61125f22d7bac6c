"""roomcad-offline eval image and eval ap-mesh: predictions per frame against the annotations."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

NINE, ALL = "nine", "all"


def add_parser(commands):
    """Add `image` and `ap-mesh` to the commands of `eval`."""
    image = commands.add_parser("image", help="alignment accuracy per image")
    _add_shared(image)
    image.add_argument("--min-iou", type=float, default=0.0, help="smallest box IoU, exclusive "
                       "(default %(default)s)")  # fmt: skip
    image.set_defaults(run=run_image)
    mesh = commands.add_parser("ap-mesh", help="AP mesh: F1 of points on the posed CADs")
    _add_shared(mesh)
    mesh.add_argument("--min-iou", type=float, help="smallest box IoU, exclusive (default 0.3)")
    mesh.add_argument("--independent-samples", action="store_true",
                      help="draw the points of a CAD anew on either side")  # fmt: skip
    mesh.set_defaults(run=run_mesh)


def _add_shared(parser):
    cores = os.cpu_count() or 1
    add = parser.add_argument
    add("predictions", type=Path, metavar="PRED",
        help="per_frame_preds.json, or raw_results.csv with images")  # fmt: skip
    add("--annotations", type=Path, required=True,
        help="full_annotations.json, or scan2cad_instances_*.json (no rendering)")  # fmt: skip
    add("--frames", type=Path, help="folder with one ScanNet-style folder a scene")
    add("--library", type=Path, help="CAD library or ShapeNetCore folder")
    add("--images", type=Path, help="list of the frames to use: lines `scene frame`")
    add("--truth", type=Path, help="file to keep the rendered truth in, for further runs")
    add("--image-size", help="WxH of the images the detector saw, e.g. 480x360 for ROCA's files")
    add("--classes", default=NINE, help="`nine` of Scan2CAD (default), `all`, or names: chair,desk")
    add("--centre", choices=("box", "origin"), default="box", help="what must lie in the image")
    add("--hidden", choices=("ignore", "drop"), default="ignore",
        help="predictions of objects that do not count are left out, or wrong")  # fmt: skip
    add("--processes", type=int, default=cores, help="processes (default %(default)s)")
    add("--out", type=Path, help="JSON file; a Markdown file and pictures go beside it")


def run_image(args):
    """Run `eval image`; returns 0."""
    from roomcad_offline.evaluation.image_report import image_markdown, image_record
    from roomcad_offline.evaluation.sigma_analysis import draw_calibration

    result, _ = _evaluated(args, args.min_iou)
    record = image_record(result, _files(args))
    text = image_markdown(record)
    print(text)
    if args.out:
        _write(args.out, record, text)
        if any(table["n"] for table in result.calibration.values()):
            picture = args.out.with_name(f"{args.out.stem}_calibration.png")
            draw_calibration(result.calibration, picture)
    return 0


def run_mesh(args):
    """Run `eval ap-mesh`; returns 0."""
    from roomcad_offline.evaluation.ap_mesh import MIN_IOU, ap_mesh, mesh_scores
    from roomcad_offline.evaluation.image_report import mesh_markdown, mesh_record
    from roomcad_offline.evaluation.mesh_f1 import MeshRule

    if args.library is None:
        raise ValueError("AP mesh needs the CADs' meshes: give --library")
    rule = MeshRule(shared=not args.independent_samples)
    min_iou = MIN_IOU if args.min_iou is None else args.min_iou
    result, boxes = _evaluated(args, 0.0)
    scores = mesh_scores(
        result.predictions, result.judged, args.library, boxes, rule, args.processes, min_iou
    )
    tables = ap_mesh(result.predictions, result.judged, scores)
    problems = (*result.judged.truth.problems, *result.predictions.problems)
    record = mesh_record(tables, rule, min_iou, scores.failed, _files(args), problems)
    text = mesh_markdown(record)
    print(text)
    if args.out:
        _write(args.out, record, text)
    return 0


def _evaluated(args, min_iou):
    """ImageResult of the arguments, and the CADs' boxes."""
    from roomcad_offline.evaluation.cad_meshes import CadMeshes
    from roomcad_offline.evaluation.image_accuracy import ImageRule
    from roomcad_offline.evaluation.image_evaluation import Options, evaluate
    from roomcad_offline.evaluation.load import load_predictions

    size, classes = parse_size(args.image_size), parse_classes(args.classes)
    predictions = load_predictions(args.predictions)
    truth, boxes = _truth(args)
    meshes = CadMeshes(args.library, boxes) if args.library else None
    options = Options(args.frames, classes, args.images is not None, size)
    rule = ImageRule(min_iou=min_iou, hidden=args.hidden)
    return evaluate(predictions, truth, rule, options, meshes), boxes


def _truth(args):
    """FrameTruth of either kind of annotations, and the CADs' boxes."""
    from roomcad_offline.evaluation.annotations import read_annotations
    from roomcad_offline.evaluation.cad_meshes import boxes_of
    from roomcad_offline.evaluation.image_evaluation import TruthSource
    from roomcad_offline.evaluation.image_truth import restricted, truth_of_instances
    from roomcad_offline.evaluation.image_truth_frames import TruthRule
    from roomcad_offline.evaluation.roca_instances import read_instances
    from roomcad_offline.evaluation.scannet25k import read_image_list

    images = read_image_list(args.images) if args.images else None
    classes = parse_classes(args.classes)
    if _is_instances(args.annotations):
        return restricted(truth_of_instances(read_instances(args.annotations)), classes, images), {}
    if args.frames is None or args.library is None:
        raise ValueError("what an image shows is found by rendering: give --frames and --library")
    annotations = read_annotations(args.annotations)
    source = TruthSource(args.frames, args.library, TruthRule(centre=args.centre), classes, images)
    return _rendered(args, annotations, source), boxes_of(annotations)


def _rendered(args, annotations, source):
    """The truth from the file --truth if it exists, else rendered and kept there."""
    from roomcad_offline.evaluation.image_evaluation import frames_truth
    from roomcad_offline.evaluation.image_truth_file import fingerprint, load_truth, save_truth

    if args.truth is None:
        return frames_truth(annotations, source, args.processes)
    made_from = fingerprint(args.annotations, source)
    if args.truth.exists():
        return load_truth(args.truth, made_from)
    truth = frames_truth(annotations, source, args.processes)
    save_truth(truth, args.truth, made_from)
    return truth


def parse_size(text):
    """(width, height) of "480x360"; None stays None."""
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if not match:
        raise ValueError(f"--image-size: got {text!r}, expected WxH such as 480x360")
    return int(match[1]), int(match[2])


def parse_classes(text):
    """Synsets of `nine`, of names separated by commas, or None for `all`."""
    from roomcad_offline.evaluation.categories import NAMES, synset

    if text == ALL:
        return None
    return tuple(NAMES) if text == NINE else tuple(map(synset, text.split(",")))


def _is_instances(path):
    """True for a JSON object (scan2cad_instances), False for a list (full_annotations)."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such annotations file")
    with path.open(encoding="utf-8") as file:
        return file.read(64).lstrip().startswith("{")


def _files(args):
    names = ("predictions", "annotations", "frames", "library", "images")
    return {n: str(getattr(args, n)) for n in names if getattr(args, n) is not None}


def _write(path, record, text):
    """The JSON file and the Markdown beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(text, encoding="utf-8")
