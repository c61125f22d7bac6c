"""roomcad-offline rooms make OUT: simulated rooms on disk."""

from __future__ import annotations

import argparse
import dataclasses
import re

from roomcad_offline.rooms.config import RoomConfig


def add_parser(subparsers):
    """Add `rooms` with its command `make` to the command line."""
    parser = subparsers.add_parser("rooms", help="simulated rooms with ground truth")
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="make rooms below a folder")
    add_arguments(make)
    make.set_defaults(run=main)


def add_arguments(parser):
    """Arguments of `make`: OUT, --size and one option for every field of RoomConfig."""
    parser.add_argument("out", help="folder that gets one folder for each room")
    size = f"{RoomConfig.width}x{RoomConfig.height}"
    parser.add_argument("--size", default=size, help=f"image size WxH [px] (default {size})")
    for f in dataclasses.fields(RoomConfig):
        if f.name not in ("width", "height"):
            _add_option(parser, f)


def _add_option(parser, f):
    """One option; on/off fields become --name and --no-name."""
    name, text = f"--{f.name.replace('_', '-')}", f"{f.metadata['help']} (default %(default)s)"
    if isinstance(f.default, bool):
        action = argparse.BooleanOptionalAction
        parser.add_argument(name, default=f.default, action=action, help=text)
    else:
        choices = f.metadata["choices"]
        parser.add_argument(
            name, type=type(f.default), default=f.default, choices=choices, help=text
        )


def config_from(args):
    """RoomConfig of parsed arguments; ValueError where one is out of its range."""
    match = re.fullmatch(r"(\d+)x(\d+)", args.size)
    if not match:
        raise ValueError(f"--size: got {args.size!r}, expected WxH such as 640x480")
    names = [f.name for f in dataclasses.fields(RoomConfig) if f.name not in ("width", "height")]
    values = {name: getattr(args, name) for name in names}
    return RoomConfig(width=int(match[1]), height=int(match[2]), **values)


def main(args):
    """Run `rooms make`; returns 0."""
    from roomcad_offline.rooms.make import make_rooms, skipped_layouts

    config = config_from(args)
    folders, speed = make_rooms(config, args.out)
    rate = f"{speed:.1f} frames/s" if speed else "all there already"
    print(f"{len(folders)} rooms of {config.frames} frames in {args.out}: {rate}")
    for reason, count in sorted(skipped_layouts(folders).items()):
        print(f"layouts skipped, {reason}: {count}")
    return 0
