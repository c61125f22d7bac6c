"""`roomcad-offline bag`: any dataset to a rosbag2 that the official tools play."""

import argparse
import dataclasses
from pathlib import Path

from tqdm import tqdm

from roomcad_core.bags.writer import STORAGES, FrameBagWriter
from roomcad_core.datasets import ReadConfig, open_dataset


def add_parser(subparsers):
    """Add the sub-command to an argparse sub-parsers object."""
    parser = subparsers.add_parser("bag", help="write a dataset as a rosbag2")
    parser.add_argument("input", type=Path, help="folder, .sens file or bag")
    parser.add_argument("output", type=Path, help="bag to make: a folder, for instance room.mcap")
    parser.add_argument("--points", action="store_true", help="add an organised PointCloud2")
    parser.add_argument(
        "--compressed", action="store_true", help="JPEG and compressedDepth instead of raw images"
    )
    parser.add_argument("--storage", choices=STORAGES, help="default: by the name of OUTPUT")
    parser.add_argument(
        "--frames", type=frame_range, default=slice(None), metavar="A:B", help="only frames A to B"
    )
    parser.add_argument(
        "--speed", type=positive, default=1.0, help="stamps run this many times as fast"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing bag")
    add_read_options(parser)
    parser.set_defaults(run=run)


def run(args):
    """Write the bag of parsed arguments and say what is in it."""
    dataset = open_dataset(args.input, **read_options(args))
    indices = range(len(dataset))[args.frames]
    if not indices:
        raise ValueError(f"--frames leaves none of the {len(dataset)} frames of {args.input}")
    writer = FrameBagWriter(
        args.output, args.storage, args.points, args.compressed, overwrite=args.overwrite
    )
    written = write_bag(dataset, indices, writer, args.speed)
    print(f"{args.output}: {written} of {len(indices)} frames from {args.input}")


def write_bag(dataset, indices, writer, speed=1.0):
    """Write frames `indices` of `dataset` with `writer`; stamps run `speed` times as fast.

    Returns:
        the number of frames written (damaged ones are left out with bad="skip").
    """
    written = 0
    start = float(dataset.stamps[indices[0]])
    with writer:
        for frame in tqdm(dataset.frames(indices), "bag", len(indices), unit="frame"):
            stamp = start + (frame.stamp - start) / speed
            writer.write(dataclasses.replace(frame, stamp=stamp))
            written += 1
    return written


def add_read_options(parser):
    """Add one argument for every field of ReadConfig; absent ones keep ReadConfig's default."""
    group = parser.add_argument_group("reading")
    for f in dataclasses.fields(ReadConfig):
        group.add_argument(
            "--" + f.name.replace("_", "-"),
            type=type(f.default),
            choices=f.metadata["choices"],
            default=argparse.SUPPRESS,
            help=f"{f.metadata['help']} ({f.default or 'empty'})",
        )


def read_options(args):
    """{field: value} of the ReadConfig fields given on the command line."""
    names = {f.name for f in dataclasses.fields(ReadConfig)}
    return {name: value for name, value in vars(args).items() if name in names}


def frame_range(text):
    """slice from "A:B" or "A:B:STEP" with non-negative numbers; parts may be empty."""
    parts = [int(part) if part else None for part in text.split(":")]
    if len(parts) not in (2, 3) or any(p is not None and p < 0 for p in parts) or 0 in parts[2:]:
        raise ValueError(text)
    return slice(*parts)


def positive(text):
    """A number above zero."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value
