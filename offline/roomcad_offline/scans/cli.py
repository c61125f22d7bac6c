"""roomcad-offline scans render SCANS OUT: RGB-D frames with truth from scans of real rooms."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from roomcad_offline.scans.config import ScanConfig

NAMES = {"viewpoint": "--height"}  # `height` of the config is that of the image, see --size


def add_parser(subparsers):
    """Add `scans` with its command `render` to the command line."""
    parser = subparsers.add_parser(
        "scans", help="frames with ground truth from scans of real rooms"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    render = commands.add_parser("render", help="walk a camera through ScanNet's scans")
    add_arguments(render)
    render.set_defaults(run=main)


def add_arguments(parser):
    """Arguments of `render`: SCANS, OUT, --size and an option for every field of ScanConfig."""
    parser.add_argument("scans", type=Path, help="a scan folder of ScanNet, or a folder of them")
    parser.add_argument("out", type=Path, help="folder that gets one folder for each scan")
    size = f"{ScanConfig.width}x{ScanConfig.height}"
    parser.add_argument("--size", default=size, help=f"image size WxH [px] (default {size})")
    for f in _options():
        name = NAMES.get(f.name, f"--{f.name}")
        text = f"{f.metadata['help']} (default %(default)s)"
        kind, choices = type(f.default), f.metadata["choices"]
        parser.add_argument(
            name, dest=f.name, type=kind, default=f.default, choices=choices, help=text
        )


def config_from(args):
    """ScanConfig of parsed arguments; ValueError where one is out of its range."""
    match = re.fullmatch(r"(\d+)x(\d+)", args.size)
    if not match:
        raise ValueError(f"--size: got {args.size!r}, expected WxH such as 640x480")
    values = {f.name: getattr(args, f.name) for f in _options()}
    return ScanConfig(width=int(match[1]), height=int(match[2]), **values)


def main(args):
    """Run `scans render`; returns 0, or 1 where nothing could be rendered."""
    from roomcad_offline.scans.make import find_scans, render_scans

    config = config_from(args)
    folders, skipped = render_scans(config, find_scans(args.scans), args.out)
    print(f"{len(folders)} scans of {config.frames} frames in {args.out}, {len(skipped)} skipped")
    return 0 if folders else 1


def _options():
    return [f for f in dataclasses.fields(ScanConfig) if f.name not in ("width", "height")]
