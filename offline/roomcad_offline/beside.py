"""roomcad-offline beside INPUT PICTURE: what several aligners make of the same frames."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from roomcad_core import config as configs
from roomcad_core.config import ALIGNERS
from roomcad_core.datasets import open_dataset
from roomcad_core.library import Library
from roomcad_core.pipeline import Pipeline
from roomcad_offline.draw.animation import contact_sheet
from roomcad_offline.draw.overlay import OverlayDrawer

FRAMES = 4


def add_parser(subparsers):
    """Add `beside` to the command line."""
    parser = subparsers.add_parser("beside", help="aligners on the same frames, in one picture")
    parser.add_argument("input", type=Path, help="ScanNet-style folder, .sens, bag, or room")
    parser.add_argument("picture", type=Path, help="PNG or JPEG: a row for each frame")
    parser.add_argument("--aligner", action="append", choices=ALIGNERS, help="(default: all)")
    parser.add_argument("--config", type=Path, help="YAML of settings that differ from defaults")
    parser.add_argument("--frames", type=int, default=FRAMES, help="rows (default %(default)s)")
    parser.set_defaults(run=main)


def main(args):
    """Draw the picture; returns 0."""
    if args.frames < 1:
        raise ValueError(f"--frames: got {args.frames}, expected at least 1")
    config = configs.load(args.config) if args.config else configs.PipelineConfig()
    dataset, library = open_dataset(args.input), Library.load(config.library)
    count = min(args.frames, len(dataset))
    frames = [dataset[i] for i in np.linspace(0, len(dataset) - 1, count + 2)[1:-1].astype(int)]
    aligners = args.aligner or ALIGNERS
    columns = [column(frames, with_aligner(config, a), library) for a in aligners]
    cells = [picture for row in zip(*columns, strict=True) for picture in row]
    args.picture.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(args.picture), contact_sheet(cells, len(aligners))[..., ::-1]):
        raise OSError(f"{args.picture}: could not be written")
    print(f"{args.picture}: {len(frames)} frames, {' | '.join(aligners)}")
    return 0


def with_aligner(config, name):
    """The PipelineConfig with another aligner, which sees each frame for itself."""
    align = dataclasses.replace(config.align, aligner=name)
    tracks = dataclasses.replace(config.tracks, enabled=False)
    return dataclasses.replace(config, align=align, tracks=tracks)


def column(frames, config, library):
    """Pictures of frames with the CAD models that a Pipeline places in them."""
    pipeline, draw = Pipeline(config, library), OverlayDrawer(library)
    name, pictures = config.align.aligner, []
    for frame in tqdm(frames, name, unit="frame"):
        alignments, _ = pipeline(frame)
        picture = np.ascontiguousarray(draw(frame.color, frame.K, alignments))
        for thickness, color in ((4, (0, 0, 0)), (2, (255, 255, 255))):
            cv2.putText(picture, name, (12, 32), cv2.FONT_HERSHEY_SIMPLEX, 0.9, color, thickness)
        pictures.append(picture)
    return pictures
