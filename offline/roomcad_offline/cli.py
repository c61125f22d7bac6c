"""The command `roomcad-offline`: one sub-command a module, each with its own add_parser."""

import argparse
import logging
import sys
from importlib import import_module

# Modules with add_parser(subparsers), which sets `run` to a function of the parsed arguments.
COMMANDS = (
    "roomcad_offline.bag",
    "roomcad_offline.benchmarks.real.cli",
    "roomcad_offline.beside",
    "roomcad_offline.classifier.cli",
    "roomcad_offline.evaluation.cli",
    "roomcad_offline.instances.cli",
    "roomcad_offline.multi_sparc.cli",
    "roomcad_offline.quantise.cli",
    "roomcad_offline.rgb_geometry.cli",
    "roomcad_offline.rooms.cli",
    "roomcad_offline.run",
    "roomcad_offline.scan_gap.cli",
    "roomcad_offline.scans.cli",
    "roomcad_offline.sensor_statistics.cli",
    "roomcad_offline.temporal.cli",
    "roomcad_offline.tables.cli",
)
# Modules that only requirements/train.txt brings.
OF_TRAINING = ("h5py", "safetensors", "sympy", "torch")


def build_parser():
    """Parser of the whole command."""
    parser = argparse.ArgumentParser(
        prog="roomcad-offline", description="roomcad without a robot: rooms, bags, training, tables"
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        import_module(name).add_parser(subparsers)
    return parser


def main(argv=None):
    """Run one sub-command; returns the exit status: 1 with a message for bad input."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    args = build_parser().parse_args(argv)
    try:
        return args.run(args) or 0
    except (ValueError, OSError, ImportError) as error:
        missing = getattr(error, "name", None) in OF_TRAINING
        remedy = "; `make setup-train` installs it" if missing else ""
        print(f"roomcad-offline: error: {error}{remedy}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("roomcad-offline: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
