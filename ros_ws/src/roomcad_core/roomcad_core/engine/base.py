"""What all inference engines have in common: tensor descriptions, and checks of what they get."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Nodes of an ONNX graph whose names begin so may be computed in less than float32, all others not;
# in a graph without such names all nodes may.
ROUGH = "rough/"


class Unavailable(ImportError):
    """This machine lacks what an engine needs: its package, or its GPU."""


@dataclass(frozen=True)
class TensorSpec:
    """Dtype and shape of one input or output; an axis is a size or the name of a free size."""

    dtype: np.dtype
    shape: tuple[int | str, ...]

    def __str__(self):
        return f"{self.dtype} ({', '.join(map(str, self.shape))})"


class Engine:
    """A loaded network. Calls check their inputs; a wrong one is a ValueError."""

    name = ""  # its key in ENGINES
    precision = "f32"  # the lowest that anything is computed in; see ROUGH

    def __init__(self, path, inputs, outputs):
        self.path = Path(path)
        self.inputs = inputs
        self.outputs = outputs

    def __call__(self, feeds):
        """Run the network.

        Args:
            feeds: {input name: array of exactly the dtype and shape of `inputs`}.

        Returns:
            {output name: array}.
        """
        check_feeds(self.path.name, self.inputs, feeds)
        return self._run(feeds)

    def _run(self, feeds):
        raise NotImplementedError


def check_feeds(name, inputs, feeds):
    """Raise ValueError, with got and expected, unless `feeds` fits the TensorSpecs `inputs`."""
    if set(feeds) != set(inputs):
        raise ValueError(f"{name}: inputs: got {sorted(feeds)}, expected {sorted(inputs)}")
    sizes = {}
    for key, spec in inputs.items():
        array = feeds[key]
        got = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array)
        message = f"{name}: input {key!r}: got {got}, expected {spec}"
        if not isinstance(array, np.ndarray) or array.dtype != spec.dtype:
            raise ValueError(message)
        if array.ndim != len(spec.shape):
            raise ValueError(message)
        for size, want in zip(array.shape, spec.shape, strict=True):
            # A free size is fixed by its first use: axes of the same name must agree.
            if size != (want if isinstance(want, int) else sizes.setdefault(want, size)):
                also = "" if isinstance(want, int) else f" with {want} = {sizes[want]}"
                raise ValueError(message + also)


def named_axes(tensor, shape):
    """A shape whose unnamed free axes (None or "") are called TENSOR.AXIS."""
    free = (f"{tensor}.{axis}" for axis in range(len(shape)))
    return tuple(
        name if size in (None, "") else size for size, name in zip(shape, free, strict=True)
    )
