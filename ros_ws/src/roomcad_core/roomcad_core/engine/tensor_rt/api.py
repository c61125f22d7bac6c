"""Which TensorRT is installed: `tensorrt`, or `tensorrt_rtx` for RTX-class GPUs. Both alike."""

import functools
import importlib
from dataclasses import dataclass
from types import ModuleType

from roomcad_core.engine.base import Unavailable

FLAVOURS = ("tensorrt", "tensorrt_rtx")  # their modules, best first
WITHOUT_GPU = FLAVOURS[1:]  # they build plans without a GPU, and for all GPUs
INSTALL = {
    "tensorrt": "pip install --extra-index-url https://pypi.nvidia.com tensorrt-cu13 onnx",
    "tensorrt_rtx": "pip install tensorrt-rtx-cu13 onnx",
}
KEPT = 20  # messages


@dataclass(frozen=True)
class Api:
    """One flavour of TensorRT."""

    module: ModuleType
    flavour: str
    messages: object  # its logger; `take()` gives what was said since the last time

    @property
    def version(self):
        return self.module.__version__

    @property
    def portable(self):
        """Whether plans are made without a GPU, and for all GPUs."""
        return self.flavour in WITHOUT_GPU

    def __str__(self):
        return f"{self.flavour} {self.version}"


def load_api(flavours=FLAVOURS):
    """Api of the first of these flavours that is installed.

    Raises:
        Unavailable: none is, or what is installed cannot be loaded.
    """
    failed = []
    for flavour in flavours:
        try:
            return _load(flavour)
        except Unavailable as error:
            failed.append(str(error))
    raise Unavailable("; ".join(failed))


@functools.cache
def _load(flavour):
    try:
        module = importlib.import_module(flavour)
    except ModuleNotFoundError as error:
        if error.name == flavour:
            raise Unavailable(f"{flavour} is missing: {INSTALL[flavour]}") from None
        raise Unavailable(f"{flavour} cannot be loaded: {error}") from None
    except (ImportError, OSError) as error:  # only its bindings are there, not its libraries
        raise Unavailable(f"{flavour} cannot be loaded: {error}") from None
    return Api(module, flavour, _messages(module))


def _messages(module):
    """A logger that keeps errors and warnings. A process has one: TensorRT ignores later ones."""

    class Messages(module.ILogger):
        def __init__(self):
            super().__init__()
            self._lines = []

        def log(self, severity, text):
            if severity <= module.ILogger.Severity.ERROR:
                self._lines[KEPT - 1 :] = []
                self._lines.append(text.strip())

        def take(self):
            """What went wrong, in one line."""
            lines, self._lines = self._lines, []
            return "; ".join(dict.fromkeys(lines)) or "it does not say why"

    return Messages()
