"""A classifier's network: crops in, probabilities and embeddings out, all in one batch."""

import numpy as np

from roomcad_core.classify.model_files import read_spec
from roomcad_core.crop_input import N_EXTRA, extra_numbers, fixed_size, normalise, unit_sphere
from roomcad_core.engine.int8 import load_engine
from roomcad_core.library import models_folder

SEED = 0  # of the choice of points: the same crop always gives the same answer
BATCH = 128  # clouds of one engine call at most: 0.5 GB in the widest layer at 1,024 points
# Inside an operator: a second one waits for the first where all cores are busy.
THREADS = 1
# Quarter turns about up: the votes of a crop.
TURNS = np.array(
    [[[c, -s, 0], [s, c, 0], [0, 0, 1]] for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))], np.float32
)


class CropNetwork:
    """A ModelSpec and the engine that runs its ONNX file."""

    def __init__(self, spec, engine):
        check_graph(spec, engine)
        self.spec = spec
        self.engine = engine

    def __call__(self, crops, floor_z=None, votes=1, metric=True):
        """What the network says of crops.

        Args:
            crops: N arrays (>= 1, 3) of finite points, z up [m].
            floor_z: height of the floor in the frame of the points [m]; None = not known.
            votes: quarter turns (1 to 4) whose answers are averaged.
            metric: False where the unit of the points is not the metre.

        Returns:
            probabilities (N, labels of the spec) and embeddings (N, E), both float32.
        """
        out = self._batched(network_inputs(self.spec, crops, floor_z, votes, metric))
        p = softmax(out["logits"] / np.float32(self.spec.temperature))
        return tuple(a.reshape(len(crops), votes, -1).mean(1) for a in (p, out["embedding"]))

    def _batched(self, feeds):
        """Outputs of the engine, which gets all clouds at once unless they are very many."""
        starts = range(0, len(feeds["points"]), BATCH)
        parts = [self.engine({k: v[i : i + BATCH] for k, v in feeds.items()}) for i in starts]
        return {k: np.concatenate([p[k] for p in parts]) for k in ("logits", "embedding")}


def load_network(name, engine, precision="f32"):
    """CropNetwork `name` of models/manifest.json.

    Args:
        name: name of the model in the manifest.
        engine, precision: as int8.load_engine takes them.

    Raises:
        FileNotFoundError: the manifest or the ONNX file is missing.
        ValueError: they are malformed or do not fit each other.
        ImportError: the engine's package is not installed.
    """
    spec = read_spec(models_folder(), name)
    return CropNetwork(spec, load_engine(spec, engine, THREADS, precision))


def network_inputs(spec, crops, floor_z=None, votes=1, metric=True):
    """{"points", and "extra" where the network has it} of crops, the votes of a crop in a row."""
    clouds = np.concatenate([turned(crop, spec.points, votes) for crop in crops])
    if spec.cloud == "unit_sphere":
        return {"points": unit_sphere(clouds)}
    unit, centre, radius = normalise(clouds)
    height = 0.0 if floor_z is None else centre[:, 2] - floor_z
    extra = extra_numbers(radius, height, metric, floor_z is not None)
    return {"points": unit, "extra": extra} if spec.extra else {"points": unit}


def turned(crop, n, votes):
    """(votes, n, 3) float32: a crop in quarter turns, each with its own choice of points."""
    rng = np.random.default_rng(SEED)
    crop = np.asarray(crop, np.float32)
    return np.stack([fixed_size(crop, n, rng) @ turn.T for turn in TURNS[:votes]])


def softmax(logits):
    """Probabilities along the last axis."""
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def check_graph(spec, engine):
    """Raise ValueError unless the loaded network has the inputs and outputs of its ModelSpec."""
    inputs = {"points": ("batch", spec.points, 3)}
    inputs |= {"extra": ("batch", N_EXTRA)} if spec.extra else {}
    outputs = {"logits": ("batch", len(spec.labels)), "embedding": ("batch", None)}
    if set(engine.inputs) != set(inputs):
        got = sorted(engine.inputs)
        raise ValueError(f"{spec.onnx}: inputs: got {got}, expected {sorted(inputs)}")
    if not set(engine.outputs) >= set(outputs):
        got = sorted(engine.outputs)
        raise ValueError(f"{spec.onnx}: outputs: got {got}, expected {sorted(outputs)}")
    tensors = {**engine.inputs, **engine.outputs}
    for name, shape in {**inputs, **outputs}.items():
        if not fits(tensors[name], shape):
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise ValueError(
                f"{spec.onnx}: {name!r}: got {tensors[name]}, expected float32 ({wanted})"
            )


def fits(tensor, shape):
    """Whether a TensorSpec is float32 with these sizes; the batch must be free, points may be."""
    if tensor.dtype != np.float32 or len(tensor.shape) != len(shape):
        return False
    batch, *sizes = tensor.shape
    is_free = isinstance(batch, str)
    last_is_fixed = isinstance(sizes[-1], int)
    right = [isinstance(s, str) or w in (None, s) for s, w in zip(sizes, shape[1:], strict=True)]
    return is_free and last_is_fixed and all(right)
