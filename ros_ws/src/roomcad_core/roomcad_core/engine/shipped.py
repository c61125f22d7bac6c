"""The ONNX files of models/manifest.json, and in which precision the stack runs each."""

from dataclasses import dataclass
from pathlib import Path

from roomcad_core.classify import model_files as classifiers
from roomcad_core.config import AlignConfig
from roomcad_core.manifest import FILE, read_models
from roomcad_core.multi_sparc import model_files as aligners
from roomcad_core.rgb_geometry import model_files as geometry
from roomcad_core.segment.instances import model_files as instances


@dataclass(frozen=True)
class Shipped:
    """One ONNX file of the manifest."""

    name: str  # in the manifest; "" = it is not from there
    task: str
    onnx: Path
    sha256: str
    precision: str
    updates: int = 0  # of an alignment loop

    def __str__(self):
        return f"{self.name} ({self.onnx.name})" if self.name else str(self.onnx)


def shipped_models(folder, names=()):
    """[Shipped] of folder/manifest.json.

    Args:
        folder: the models folder.
        names: models wanted; () = all of them.

    Raises:
        FileNotFoundError: no manifest.
        ValueError: it is malformed, or has no model of such a name.
    """
    path = Path(folder) / FILE
    models = read_models(path)
    if unknown := sorted(set(names) - set(models)):
        raise ValueError(f"{path}: models: no {unknown}, it has {sorted(models)}")
    wanted = names or sorted(models)
    return [file for name in wanted for file in _files(path, name, models[name])]


def _files(path, name, entry):
    """[Shipped] of one entry of the manifest."""
    task = entry.get("task") if isinstance(entry, dict) else None
    if task == classifiers.TASK:
        spec = classifiers.read_spec(path.parent, name)
        return [Shipped(name, task, spec.onnx, spec.sha256, "f32")]
    if task in (*geometry.TASKS, instances.TASK):
        files = instances if task == instances.TASK else geometry
        spec = files.read_spec(path.parent, name)
        return [Shipped(name, task, spec.onnx, spec.sha256, "f32")]
    if task != aligners.TASK or not isinstance(entry.get("updates"), dict):
        known = " or ".join((classifiers.TASK, *geometry.TASKS, instances.TASK, aligners.TASK))
        raise ValueError(f"{path}: models.{name}.task: got {task!r}, expected {known}")
    precision = AlignConfig().precision
    specs = [aligners.read_spec(path.parent, name, n) for n in sorted(map(int, entry["updates"]))]
    return [Shipped(name, task, s.onnx, s.sha256, precision, s.updates) for s in specs]
