"""The `roomcad` command. Each sub-command is one function that takes the parsed arguments."""

import argparse
import logging
import sys
from collections import Counter
from pathlib import Path

from roomcad_core.engine.command import add_engine
from roomcad_core.library import Library
from roomcad_core.public_models.command import add_models
from roomcad_core.view.command import add_view

SOURCES_HELP = """\
where the models come from:
  builtin[:SEED[:COUNT]]  our own furniture generator
  sweethome3d[:PATH]      the Debian packages sweethome3d-furniture and sweethome3d, installed, or
                          at PATH: a folder, .deb, .sh3f or .jar
  infinigen:COUNT[:SEED]  infinigen's procedural furniture, made here (make setup-models)
  shapenet:FOLDER         ShapeNetCore v2 (FOLDER/<synset>/<model>/models/model_normalized.obj)
  3dfuture:FOLDER         3D-FUTURE (FOLDER/model_info.json, FOLDER/<model>/raw_model.obj)
  FOLDER                  OBJ, GLB, STL or PLY files and one CSV with the columns file,label,
                          size_x,size_y,size_z,up,front,symmetry,licence"""


def library_build(args):
    from roomcad_core.library_build.build import build

    report = build(args.source, args.out, args.overwrite)
    print(report)
    print(f"written: {args.out}")


def library_list(args):
    library = Library.load(args.folder)
    for cad in library:
        size = " x ".join(f"{s:.2f}" for s in cad.size)
        print(f"{cad.id:40s} {cad.label:10s} {size} m  {cad.symmetry:10s}  {cad.licence}")
    counts = Counter(cad.label for cad in library)
    print(f"{len(library)} models: " + ", ".join(f"{n} {label}" for label, n in counts.items()))


def library_show(args):
    import cv2

    from roomcad_core.library_build.sheet import library_sheet

    sheet = library_sheet(Library.load(args.folder), args.columns)
    if not args.out.parent.is_dir() or not cv2.imwrite(str(args.out), sheet[..., ::-1]):
        raise ValueError(f"{args.out}: the picture cannot be written there")
    print(f"written: {args.out}")


def add_library(commands):
    """The `library` sub-commands."""
    library = commands.add_parser("library", help="make, list or draw a CAD library")
    actions = library.add_subparsers(required=True, metavar="ACTION")
    build = actions.add_parser(
        "build", help="make a library from a collection of models", epilog=SOURCES_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    build.add_argument("source", help="see below")
    build.add_argument("out", type=Path, help="folder to write the library into")
    build.add_argument("--overwrite", action="store_true", help="replace a library that is there")
    build.set_defaults(run=library_build)
    listing = actions.add_parser("list", help="print the models of a library")
    show = actions.add_parser("show", help="draw all models of a library into one picture")
    for action in (listing, show):
        action.add_argument("folder", nargs="?", default="", help="library; default: the built-in")
    listing.set_defaults(run=library_list)
    show.add_argument("--out", type=Path, required=True, help="picture to write (PNG, JPG)")
    show.add_argument("--columns", type=int, default=8, help="models in a row (default 8)")
    show.set_defaults(run=library_show)


COMMANDS = (add_library, add_engine, add_models, add_view)


def main(argv=None):
    """Run the command line; a clean error and exit status 1 for bad input."""
    parser = argparse.ArgumentParser(prog="roomcad", description="CAD models for RGB-D rooms")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        args.run(args)
    except (ValueError, OSError, ImportError) as error:
        print(f"roomcad: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
