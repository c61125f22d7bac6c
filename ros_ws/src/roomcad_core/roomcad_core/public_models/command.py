"""`roomcad models list` and `roomcad models fetch`."""

from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from roomcad_core.public_models.cache import cache_folder, fetch, is_fetched
from roomcad_core.public_models.table import PUBLIC, PublicModel, RemoteFile

HOW = {
    "detector": "segment.detector: {0}",
    "masks": "segment.detector_masks: {0}",
}


def list_models(args):
    """Print the models of the table, then what else lies in the cache."""
    folder = cache_folder()
    for model in PUBLIC.values():
        state = "fetched" if is_fetched(model) else ""
        size = f"{model.size / 1e6:.0f} MB"
        print(f"{model.name:14s} {size:>7s}  {model.licence:10s} {state:8s} {model.about}")
        print(f"{'':24s}from {model.source}")
    others = (
        sorted(p.name for p in folder.iterdir() if p.name not in PUBLIC) if folder.is_dir() else []
    )
    for name in others:
        print(f"{name:14s} fetched by URL; roomcad does not know its licence")
    print(f"cache: {folder}")


def fetch_models(args):
    """Download by name, or one file by address and checksum."""
    for model in _wanted(args):
        print(f"{model.name}: {model.about}; licence: {model.licence}; from {model.source}")
        folder = fetch(model)
        for file in model.files:
            print(f"  {folder / file.name}")
        if model.task in HOW:
            print(f"  use it: {HOW[model.task].format(model.name)}")


def _wanted(args):
    by_url = (args.url, args.sha256, args.name)
    if any(by_url) == bool(args.models) or (any(by_url) and not all(by_url)):
        raise ValueError("models fetch: expected names, or all of --url, --sha256 and --name")
    if args.models:
        unknown = sorted(set(args.models) - set(PUBLIC))
        if unknown:
            known = ", ".join(PUBLIC)
            raise ValueError(f"models fetch: got {', '.join(unknown)}, expected some of {known}")
        return [PUBLIC[name] for name in args.models]
    if args.name in PUBLIC:
        raise ValueError(f"models fetch: --name {args.name}: roomcad has a model of that name")
    file = PurePosixPath(unquote(urlsplit(args.url).path)).name or args.name
    about, licence, source = f"{file} for a YAML of yours", "not known to roomcad", args.url
    files = (RemoteFile(file, args.url, args.sha256),)
    return [PublicModel(args.name, "yours", about, licence, source, files)]


def add_models(commands):
    """The `models` sub-commands."""
    models = commands.add_parser("models", help="list or download public detectors and SAM")
    actions = models.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="names, sizes, licences, what is fetched already")
    listing.set_defaults(run=list_models)
    fetching = actions.add_parser(
        "fetch", help="download models into $ROOMCAD_CACHE, checked by their SHA-256"
    )
    fetching.add_argument("models", nargs="*", metavar="NAME", help="names that `list` shows")
    fetching.add_argument("--url", help="any other file ...")
    fetching.add_argument("--sha256", help="... with its checksum ...")
    fetching.add_argument("--name", help="... and the name to keep it under")
    fetching.set_defaults(run=fetch_models)
