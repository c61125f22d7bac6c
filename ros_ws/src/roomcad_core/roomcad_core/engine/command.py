"""`roomcad engine`: build TensorRT engines beforehand, say what there is, measure."""

import json
import logging
from pathlib import Path

from roomcad_core.config import ENGINES, PRECISIONS
from roomcad_core.engine.base import Unavailable
from roomcad_core.engine.choose import PREFERRED
from roomcad_core.engine.files import verify
from roomcad_core.engine.shipped import Shipped, shipped_models
from roomcad_core.engine.tensor_rt.cuda import open_device
from roomcad_core.engine.tensor_rt.engine import (
    building_tools,
    gpu_text,
    load_builder,
    make_plan,
    plan_key,
    usable_precision,
)
from roomcad_core.engine.tensor_rt.store import (
    SUFFIX,
    Unusable,
    engines_folder,
    read,
    read_about,
)
from roomcad_core.library import models_folder

MB = 1e6
FALLBACK = f"Nodes run on {' or '.join(PREFERRED[1:])} (engine: auto), which need no building."

log = logging.getLogger(__name__)


def build(args):
    """Build what is not there yet; one that fails does not keep the others from being built."""
    try:
        api, device = building_tools()
    except Unavailable as error:
        raise Unavailable(f"no TensorRT engine can be built here: {error}. {FALLBACK}") from None
    where = gpu_text(device) if device else "no GPU here: engines for all GPUs that it knows"
    print(f"{api}; {where}; into {engines_folder()}")
    failed = []
    for file in wanted_files(args):
        precision = usable_precision(args.precision or file.precision, device)
        try:
            verify(file.onnx, file.sha256)
            plan, is_new = make_plan(api, device, file.onnx, precision, args.again)
        except (ValueError, OSError) as error:
            failed.append(str(file))
            log.error("%s", error)  # it names the file
            continue
        print(f"{'built' if is_new else 'there'}: {file} {precision}, {len(plan) / MB:.1f} MB")
    if failed:
        raise ValueError(f"not built: {', '.join(failed)}")


def info(args):
    """What an engine would run on here, and which files there are."""
    device, no_device = _or_reason(open_device)
    api, no_api = _or_reason(load_builder if device is None else lambda: building_tools()[0])
    folder = engines_folder()
    print(f"GPU:      {no_device or driver_text(device)}")
    print(f"TensorRT: {no_api or api}")
    print(f"engines:  {folder}")
    used = set()
    if api is None:
        print(f"  none can be built here. {FALLBACK}")
    else:
        used = _print_shipped(api, device, folder)
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if path.name not in used:
            print(f"  other: {path.name}, {path.stat().st_size / MB:.1f} MB: {_origin(path)}")


def driver_text(device):
    """A GPU (cuda.Device) and its driver."""
    major, minor = divmod(device.driver_version, 1000)
    return f"{gpu_text(device)}, driver for CUDA {major}.{minor // 10}"


def _print_shipped(api, device, folder):
    """Print the state of the engine of every shipped file; returns the names of these engines."""
    used = set()
    for file in shipped_models(models_folder()):
        precision = usable_precision(file.precision, device)
        key = plan_key(api, device, file.onnx, precision)
        used.add(key.file)
        print(f"  {file}: {precision}, {_state(folder / key.file, key)}")
    return used


def bench(args):
    """Measure, print and write the results."""
    from roomcad_core.engine.bench import measure
    from roomcad_core.engine.bench_table import markdown

    files, count = wanted_files(args), (args.rounds, args.frames)
    try:
        record = measure(files, args.engine, args.precisions, *count, args.sequence)
    except Unavailable as error:
        raise Unavailable(f"nothing measured: {error}; on a CPU: --engine openvino") from None
    print(markdown(record))
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "engines.json").write_text(json.dumps(record, indent=1) + "\n")
        (args.out / "engines.md").write_text(markdown(record))
        print(f"written: {args.out}/engines.json, {args.out}/engines.md")


def wanted_files(args):
    """[Shipped] that the command line asks for."""
    if args.onnx is None:
        return shipped_models(models_folder(), args.models)
    if args.models:
        raise ValueError("got names of models and --onnx, expected one of them")
    from roomcad_core.engine.files import sha256_of

    if not args.onnx.is_file():
        raise FileNotFoundError(f"{args.onnx}: no such ONNX file")
    return [Shipped("", "", args.onnx, sha256_of(args.onnx), PRECISIONS[0])]


def _or_reason(find):
    """(what `find` gives, ""), or (None, why there is nothing)."""
    try:
        return find(), ""
    except Unavailable as error:
        return None, f"none: {error}"


def _state(path, key):
    try:
        return f"{len(read(path, key.about())) / MB:.1f} MB"
    except FileNotFoundError:
        return "not built yet (roomcad engine build)"
    except (OSError, Unusable) as error:
        return f"will be built again: {error}"


def _origin(path):
    try:
        about = read_about(path)
    except (OSError, Unusable) as error:
        return str(error)
    return ", ".join(str(about.get(name)) for name in ("onnx", "runtime", "gpu", "precision"))


def positive(text):
    """A whole number from 1, for argparse."""
    if (value := int(text)) < 1:
        raise ValueError
    return value


def add_engine(commands):
    """The `engine` sub-commands."""
    engine = commands.add_parser("engine", help="build, list or measure inference engines")
    actions = engine.add_subparsers(required=True, metavar="ACTION")
    building = actions.add_parser(
        "build", help="build TensorRT engines beforehand; TensorRT-RTX needs no GPU for it"
    )
    measuring = actions.add_parser("bench", help="measure speed and accuracy of all precisions")
    for action in (building, measuring):
        action.add_argument("models", nargs="*", help="names in the manifest; default: all")
        action.add_argument("--onnx", type=Path, help="a file that is not in the manifest")
    building.add_argument(
        "--precision", choices=PRECISIONS, help="default: what the stack uses by default"
    )
    building.add_argument("--again", action="store_true", help="also what is built already")
    building.set_defaults(run=build)
    listing = actions.add_parser("info", help="what there is: GPU, TensorRT, engine files")
    listing.set_defaults(run=info)
    measuring.add_argument("--engine", choices=ENGINES[1:], default="tensorrt", help="of these")
    measuring.add_argument(
        "--precisions", nargs="+", choices=PRECISIONS, default=list(PRECISIONS), help="of these"
    )
    measuring.add_argument("--rounds", type=positive, default=200, help="calls that are timed")
    measuring.add_argument("--frames", type=positive, default=50, help="inputs to compare poses on")
    measuring.add_argument("--sequence", help="dataset whose frames are taken; default: random")
    measuring.add_argument("--out", type=Path, help="folder for engines.json and engines.md")
    measuring.set_defaults(run=bench)
