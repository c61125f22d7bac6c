"""Plans in files. A file tells what it was made of and is only used where all of that is so.

A file comes into being whole or not at all, processes that want the same one wait for the first,
and where nothing can be written plans are made anew each time.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

MAGIC = b"roomcad engine 1\n"
LARGEST_HEADER = 1 << 16
SUFFIX, PART, LOCK = ".engine", ".part", ".lock"
FOLDER = "ROOMCAD_ENGINES"  # environment variable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Key:
    """What a plan depends on."""

    onnx: str  # name of the file
    sha256: str  # of the file
    runtime: str  # flavour and version
    gpu: str  # name and compute capability, or "any"
    precision: str
    recipe: int
    profiles: list  # as build.profiles_of gives them

    @property
    def file(self):
        """Name of the file that holds the plan."""
        parts = Path(self.onnx).stem, self.sha256[:12], self.runtime, self.gpu, self.precision
        return "-".join(re.sub(r"[^A-Za-z0-9.]+", "_", part) for part in parts) + SUFFIX

    def about(self):
        """As it is written into the file."""
        return json.loads(json.dumps(asdict(self)))


class Unusable(ValueError):
    """A file holds no plan, or not the one that is wanted."""


def engines_folder():
    """Folder of all plans: $ROOMCAD_ENGINES, else one in the user's cache."""
    if os.environ.get(FOLDER):
        return Path(os.environ[FOLDER])
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "roomcad" / "engines"


def stored_or_built(folder, key, build, again=False):
    """The plan (bytes) for a Key, and whether it was built now.

    Args:
        folder: where plans are kept.
        key: Key.
        build: function that makes the plan.
        again: build it even if there is one.
    """
    path = Path(folder) / key.file
    if not again and (plan := _usable(path, key)) is not None:
        return plan, False
    with only_one(path):
        if not again and (plan := _usable(path, key, quiet=True)) is not None:
            return plan, False
        plan = build()
        store(path, key.about(), plan)
    return plan, True


def _usable(path, key, quiet=False):
    """The plan in a file, or None where it is not what the Key says."""
    try:
        return read(path, key.about())
    except FileNotFoundError:
        return None
    except (Unusable, OSError) as error:
        if not quiet:
            log.warning("%s: built again: %s", path, error)
        return None


def store(path, about, payload):
    """Write a file if that is possible; or say why not."""
    try:
        write(path, about, payload)
    except OSError as error:
        log.warning("%s: not stored, it will have to be built again: %s", path, error)


def write(path, about, payload):
    """Write a file that is there whole or not at all."""
    digest = hashlib.sha256(payload).hexdigest()
    header = {"about": about, "bytes": len(payload), "sha256": digest}
    path = Path(path)
    handle, part = tempfile.mkstemp(PART, path.name + ".", path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(MAGIC + json.dumps(header).encode() + b"\n")
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o644)
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def read(path, about=None):
    """What `write` has put into a file.

    Args:
        path: the file.
        about: what it has to be made of; None = anything.

    Raises:
        FileNotFoundError: no such file.
        Unusable: it is damaged, or made of something else; the message says what.
    """
    with Path(path).open("rb") as file:
        header = _header(file)
        if about is not None and header["about"] != about:
            raise Unusable(_difference(header["about"], about))
        payload = file.read()
    if len(payload) != header["bytes"]:
        raise Unusable(f"it has {len(payload)} bytes of a plan, expected {header['bytes']}")
    if hashlib.sha256(payload).hexdigest() != header["sha256"]:
        raise Unusable("its checksum is wrong")
    return payload


def read_about(path):
    """What a file says that it is made of; its plan is not looked at."""
    with Path(path).open("rb") as file:
        return _header(file)["about"]


def _header(file):
    if file.read(len(MAGIC)) != MAGIC:
        raise Unusable("it is no engine file of this version of roomcad")
    try:
        header = json.loads(file.readline(LARGEST_HEADER))
    except ValueError:
        raise Unusable("its header is damaged") from None
    kinds = {"about": dict, "bytes": int, "sha256": str}
    if not isinstance(header, dict) or any(
        type(header.get(name)) is not kind for name, kind in kinds.items()
    ):
        raise Unusable("its header is damaged")
    return header


def _difference(got, expected):
    names = [n for n in {**expected, **got} if got.get(n) != expected.get(n)]
    texts = [f"{n}: got {got.get(n)!r}, expected {expected.get(n)!r}" for n in names]
    return "it is made of something else: " + "; ".join(texts)


@contextlib.contextmanager
def only_one(path):
    """Holds other processes off a file; the system lets go of it when a process dies.

    Where no lock can be had, work goes on without: files are written whole in any case.
    """
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(path.with_name(path.name + LOCK).open("w"))
            _take(file, path)
            _remove_parts(path)
        except OSError as error:
            log.warning("%s: goes on without a lock: %s", path, error)
        yield


def _take(file, path):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("%s: waiting for the process that builds it", path)
        fcntl.flock(file, fcntl.LOCK_EX)


def _remove_parts(path):
    """Delete what killed processes have left; needs the lock."""
    for part in path.parent.iterdir():
        if part.name.startswith(path.name + ".") and part.name.endswith(PART):
            part.unlink(missing_ok=True)
