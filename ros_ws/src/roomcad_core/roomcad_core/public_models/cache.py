"""Where fetched models lie: CACHE/model/file, each complete and of the right checksum."""

import os
import re
from pathlib import Path

from roomcad_core.engine.files import verify
from roomcad_core.public_models.download import download

FOLDER = "ROOMCAD_CACHE"
NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]*"


def cache_folder():
    """Folder of all fetched models: $ROOMCAD_CACHE, else one in the user's cache."""
    if os.environ.get(FOLDER):
        return Path(os.environ[FOLDER])
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "roomcad" / "models"


def model_folder(name):
    """Folder of one model; ValueError where `name` is no plain name."""
    if not re.fullmatch(NAME, name):
        raise ValueError(f"model name: got {name!r}, expected letters, digits, '.', '_' and '-'")
    return cache_folder() / name


def is_fetched(model):
    """Whether all files of a PublicModel are there."""
    folder = model_folder(model.name)
    return all((folder / file.name).is_file() for file in model.files)


def fetched(model):
    """Folder of a PublicModel that is there; an error says how to get it.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file has changed since it was fetched.
    """
    folder, again = model_folder(model.name), f"roomcad models fetch {model.name}"
    if not is_fetched(model):
        raise FileNotFoundError(f"model {model.name}: not in {cache_folder()}: {again}")
    for file in model.files:
        try:
            verify(folder / file.name, file.sha256)
        except ValueError as error:
            raise ValueError(f"{error}: {again}") from None
    return folder


def fetch(model):
    """Download what is missing or damaged of a PublicModel; its folder. Errors as download."""
    folder = model_folder(model.name)
    for file in model.files:
        download(file, folder / file.name)
    return folder
