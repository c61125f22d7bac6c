"""TensorRT behind the Engine contract: finds or builds the plan of an ONNX file, and runs it."""

import logging
import threading
from pathlib import Path

from roomcad_core.engine.base import Engine, Unavailable
from roomcad_core.engine.files import sha256_of
from roomcad_core.engine.onnx_axes import read_axes
from roomcad_core.engine.tensor_rt.api import WITHOUT_GPU, load_api
from roomcad_core.engine.tensor_rt.build import RECIPE, build_plan, profiles_of
from roomcad_core.engine.tensor_rt.cuda import CudaError, open_device
from roomcad_core.engine.tensor_rt.session import Session
from roomcad_core.engine.tensor_rt.shapes import PlanRefused
from roomcad_core.engine.tensor_rt.store import (
    Key,
    Unusable,
    engines_folder,
    read,
    store,
    stored_or_built,
)

BFLOAT16_FROM = (8, 0)  # compute capability
PORTABLE_FROM = (8, 0)  # plans of TensorRT-RTX that are for all GPUs do not run on older ones

log = logging.getLogger(__name__)


class TensorRtEngine(Engine):
    """TensorRT, or TensorRT-RTX, on the first NVIDIA GPU."""

    name = "tensorrt"

    def __init__(self, path, threads=0, precision="f32", sizes=()):
        """Load an ONNX file; if its plan is not stored yet, this builds it.

        Args:
            path: ONNX file.
            threads, sizes: not looked at.
            precision: "f16" or "bf16" lets ROUGH nodes be computed in that; a GPU without
                bfloat16 keeps float32 (then the attribute `precision` says so).

        Raises:
            Unavailable: no GPU, or no TensorRT.
            ValueError: TensorRT cannot run this file here.
        """
        # Without a GPU TensorRT may crash instead of saying so.
        device, api = open_device(), load_api()
        path = Path(path)
        check_support(api, device)
        self.precision = usable_precision(precision, device)
        profiles = profiles_of(path)
        try:
            self._session = _session(api, device, path, self.precision, profiles)
        except CudaError as error:
            raise ValueError(f"{path}: TensorRT on {device.name}: {error}") from None
        self._lock = threading.Lock()
        super().__init__(path, self._session.inputs, self._session.outputs)

    def _run(self, feeds):
        with self._lock:
            return self._session(feeds)

    def gpu_milliseconds(self, feeds, upload=True):
        """What one call takes on the GPU; `upload`: also the copying of all inputs to it."""
        with self._lock:
            return self._session.gpu_milliseconds(feeds, upload)


def check_support(api, device):
    """Raise Unavailable where the plans of TensorRT-RTX do not run on a GPU of this kind.

    They are built without looking at the GPU, so that they would be refused only afterwards.
    """
    if not api.portable:
        return
    kind = "SM{}{}".format(*device.capability)
    if device.capability < PORTABLE_FROM or not hasattr(api.module.ComputeCapability, kind):
        raise Unavailable(f"{api} does not run on {device.name} ({kind}); install tensorrt")


def usable_precision(precision, device):
    """What a GPU (cuda.Device; None = not known yet) can compute in."""
    lacks = device is not None and device.capability < BFLOAT16_FROM
    return "f32" if precision == "bf16" and lacks else precision


def building_tools():
    """Api to build plans with here, and the GPU to build them for (None = for all GPUs).

    Raises:
        Unavailable: nothing can be built here.
    """
    try:
        device = open_device()
    except Unavailable as no_device:
        try:
            return load_builder(), None
        except Unavailable as error:
            raise Unavailable(f"{no_device}; to build without one: {error}") from None
    api = load_api()
    check_support(api, device)
    return api, device


def load_builder():
    """Api that builds plans without a GPU; Unavailable where none is installed."""
    return load_api(WITHOUT_GPU)


def plan_key(api, device, path, precision):
    """store.Key of the plan of an ONNX file (Path) for a GPU (not looked at by TensorRT-RTX)."""
    return Key(
        onnx=path.name,
        sha256=sha256_of(path),
        runtime=str(api),
        gpu="any" if api.portable else gpu_text(device),
        precision=precision,
        recipe=RECIPE,
        profiles=profiles_of(path),
    )


def gpu_text(device):
    major, minor = device.capability
    return f"{device.name} sm{major}{minor}"


def make_plan(api, device, path, precision, again=False):
    """Plan (bytes) of an ONNX file, and whether it was built now rather than found stored.

    Args:
        api: Api.
        device: cuda.Device; TensorRT-RTX does not look at it.
        path: ONNX file.
        precision: of its ROUGH nodes.
        again: build it even if it is stored.

    Raises:
        ValueError: TensorRT cannot build it.
    """
    key, folder = plan_key(api, device, path, precision), engines_folder()

    def build():
        log.info("%s: building an engine with %s, which can take minutes", path.name, api)
        if api.portable:
            return build_plan(api, path, precision)[0]
        device.use()
        about = {"timing cache of": str(api), "gpu": key.gpu}
        cache = folder / f"{key.runtime}-{key.gpu}.timing".replace(" ", "_")
        plan, learnt = build_plan(api, path, precision, _timing(cache, about))
        if learnt:
            store(cache, about, learnt)
        return plan

    return stored_or_built(folder, key, build, again)


def _timing(path, about):
    """What earlier builds have measured; b"" if there is nothing (any more)."""
    try:
        return read(path, about)
    except (OSError, Unusable):
        return b""


def _session(api, device, path, precision, profiles):
    """Session of an ONNX file. A stored plan that TensorRT does not take is built once more."""
    plan, is_new = make_plan(api, device, path, precision)
    try:
        return Session(api, device, plan, profiles, read_axes(path))
    except PlanRefused as error:
        if is_new:
            raise ValueError(f"{path}: {error}") from None
        log.warning("%s: built again: %s", path, error)
    plan, _ = make_plan(api, device, path, precision, again=True)
    try:
        return Session(api, device, plan, profiles, read_axes(path))
    except PlanRefused as error:
        raise ValueError(f"{path}: {error}") from None
