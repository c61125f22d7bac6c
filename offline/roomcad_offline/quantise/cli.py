"""roomcad-offline quantise: files in int8 of the networks that see a frame or a crop."""

import json
from importlib import import_module
from pathlib import Path

from roomcad_core.engine import sha256_of
from roomcad_core.engine.bench import machine
from roomcad_core.engine.int8 import KEY
from roomcad_core.library import models_folder
from roomcad_core.manifest import FILE, read_models, write_entry
from roomcad_offline.instances.cli import sources_of
from roomcad_offline.quantise.compare import compare, markdown
from roomcad_offline.quantise.convert import convert
from roomcad_offline.quantise.record import record


def add_parser(subparsers):
    """Add `quantise` to the command line."""
    parser = subparsers.add_parser("quantise", help="networks in int8, by what they see in rooms")
    parser.add_argument("rooms", type=Path, nargs="+", help="rooms or folders of them, real ones "
                        "too, two at least: scales are taken from every second one, the others are "
                        "compared")  # fmt: skip
    parser.add_argument("--step", type=int, default=5, help="frames apart (default %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder of int8.json and int8.md")
    parser.set_defaults(run=main)


def main(args):
    """Write the files into the models folder, enter them in its manifest, report; returns 0."""
    import_module("sympy")  # ONNX Runtime would miss it only after minutes of recording
    rooms = [source.folder for source in sources_of(args.rooms)]
    if len(rooms) < 2 or args.step < 1:
        raise ValueError(f"{args.rooms[0]}: got {len(rooms)} rooms, step {args.step}, expected at"
                         " least 2 and 1")  # fmt: skip
    first, second = rooms[::2], rooms[1::2]
    about = machine("openvino")
    report = {
        "cpu": about["cpu"],
        "scales_from": ", ".join(room.name for room in first),
        "compared_in": ", ".join(room.name for room in second),
        "networks": {},
    }
    for name, feeds in record(rooms, args.step).items():
        taken, kept = ([f for room in some for f in feeds[str(room)]] for some in (first, second))
        report["networks"][name] = quantise(models_folder(), name, taken, kept)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "int8.json").write_text(json.dumps(report, indent=1) + "\n")
    (args.out / "int8.md").write_text(markdown(report))
    print(markdown(report))
    return 0


def quantise(folder, name, taken, kept):
    """Write the int8 file of a network of folder/manifest.json and enter it there.

    Args:
        taken: feeds that the scales are taken from, kept: those that it is compared by.

    Returns:
        record of compare.
    """
    if not taken or not kept:
        raise ValueError(f"{name}: got {len(taken)} and {len(kept)} inputs, expected some")
    entry = read_models(folder / FILE)[name]
    path = folder / entry["onnx"]
    out = path.with_name(f"{path.stem}_int8.onnx")
    convert(path, out, taken)
    write_entry(folder, name, entry | {KEY: {"onnx": out.name, "sha256": sha256_of(out)}})
    return compare(path, out, kept)
