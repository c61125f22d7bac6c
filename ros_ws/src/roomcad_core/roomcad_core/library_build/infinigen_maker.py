"""Runs infinigen in its own Python environment and keeps what it made.

A model is one file CACHE/infinigen/VERSION/FACTORY/SEED.npz with vertices [m], triangles and face
colours in infinigen's axes, and the numbers its factory drew; so a build that was ended goes on.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import numpy as np

from roomcad_core.library_build.infinigen_plan import Factory
from roomcad_core.library_build.model import Mesh
from roomcad_core.library_build.simplify import simplify
from roomcad_core.public_models.cache import FOLDER

VERSION = "1.15.5"
PYTHON = "ROOMCAD_MODELS_PYTHON"  # names another Python than the one of `make setup-models`
WORKER = Path(__file__).with_name("infinigen_worker.py")
SECONDS = 60.0  # a model may take
START_SECONDS = 120.0  # until Blender is loaded
MAX_FACES = 15_000  # kept; infinigen's meshes have up to 600,000


def models_python() -> Path:
    """Python of the models environment; FileNotFoundError says how to make it."""
    beside = Path(sys.prefix).with_name(".venv-models") / "bin" / "python"
    python = Path(os.environ.get(PYTHON) or beside)
    if not python.is_file():
        raise FileNotFoundError(f"{python}: no such file; infinigen needs: make setup-models")
    return python


def cache_folder() -> Path:
    """Folder of the models made so far: under $ROOMCAD_CACHE, else in the user's cache."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "roomcad"
    return Path(os.environ.get(FOLDER) or user) / "infinigen" / VERSION


class Maker:
    """Makes models, one after the other; its subprocess starts when the first one is needed."""

    def __init__(self, python: Path, worker: Path = WORKER, seconds: float = SECONDS):
        self._command = [str(python), "-I", str(worker)]  # without our PYTHONPATH
        self._seconds = seconds
        self._process: subprocess.Popen | None = None

    def make(self, factory: Factory, seed: int, settings: dict) -> tuple[Mesh, dict[str, float]]:
        """Mesh in infinigen's axes and the numbers its factory drew, from the cache or made.

        Raises:
            RuntimeError: infinigen failed, or took too long.
        ImportError: infinigen cannot be started at all.
        """
        path = cache_folder() / factory.name / f"{seed}.npz"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            raw = path.with_suffix(".raw.npz")
            job = {"factory": factory.path, "seed": seed, "set": settings, "flat": factory.flat}
            answer = self._ask({**job, "out": str(raw)})
            _keep(_read(raw)[0], answer["numbers"], path)
            raw.unlink()
        return _read(path)

    def close(self) -> None:
        """End the subprocess."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _ask(self, job: dict) -> dict:
        if self._process is None:
            self._start()
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = self._answer(self._seconds)
        if answer is None:  # the next model gets a new process
            self.close()
            raise RuntimeError(f"crashed, or took more than {self._seconds:.0f} s: {_log()}")
        if not answer["ok"]:
            raise RuntimeError(answer["error"])
        return answer

    def _start(self) -> None:
        with _log().open("w") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        if self._answer(START_SECONDS) is None:
            self.close()
            # No RuntimeError: it is not about one model, so the build ends.
            raise ImportError(f"infinigen does not start, see {_log()}; try: make setup-models")

    def _answer(self, seconds: float) -> dict | None:
        """The next line of the subprocess; None where it is late, or the process ended."""
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        line = self._process.stdout.readline() if ready else ""
        return json.loads(line) if line else None


def _log() -> Path:
    return cache_folder() / "worker.log"


def _keep(mesh: Mesh, numbers: dict[str, float], path: Path) -> None:
    """Write the lighter mesh; the name appears when the file is whole."""
    light = simplify(mesh, np.random.default_rng(0), MAX_FACES)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez_compressed(
            file,
            vertices=light.vertices.astype(np.float32),
            triangles=light.triangles.astype(np.int32),
            colors=light.colors,
            numbers=json.dumps(numbers),
        )
    part.replace(path)


def _read(path: Path) -> tuple[Mesh, dict[str, float]]:
    with np.load(path) as data:
        mesh = Mesh(data["vertices"].astype(float), data["triangles"], data["colors"])
        return mesh, json.loads(str(data["numbers"])) if "numbers" in data else {}
