"""Detectors by their name in the settings: a fetched model, a YAML, a per_frame_preds.json."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import yaml

from roomcad_core.config import from_dict, load
from roomcad_core.detect.detector import Detector
from roomcad_core.detect.roca import PerFrameDetections
from roomcad_core.detect.sam import BoxMasks, Masked, SamSpec
from roomcad_core.detect.spec import DetectorSpec, check_names
from roomcad_core.engine import make_engine, verify
from roomcad_core.public_models import PUBLIC, fetched

SETTINGS = {"detector": "segment.detector", "masks": "segment.detector_masks"}


def make_detector(config):
    """The detector that a SegmentConfig names, or None: Frame -> Detections, best first.

    FileNotFoundError or ValueError name the file and the key.
    """
    if not config.detector:
        return None
    detector = load_detector(config.detector)
    return (
        Masked(detector, load_masks(config.detector_masks)) if config.detector_masks else detector
    )


def load_detector(name):
    """Detector from a name of public_models.PUBLIC, a YAML, or a per_frame_preds.json."""
    if str(name).endswith(".json"):
        return PerFrameDetections(name)
    folder, spec, source = read_spec(name, DetectorSpec, "detector")
    if spec.class_map:
        spec = with_class_map(spec, folder / spec.class_map, source)
    return _made(source, lambda: Detector(spec, load_onnx(folder, spec, "onnx", "sha256", source)))


def load_masks(name):
    """BoxMasks from a name of public_models.PUBLIC or a YAML."""
    folder, spec, source = read_spec(name, SamSpec, "masks")
    engines = [
        load_onnx(folder, spec, part, f"{part}_sha256", source) for part in ("encoder", "decoder")
    ]
    return _made(source, lambda: BoxMasks(spec, *engines))


def read_spec(name, cls, task):
    """(folder of the files, spec, what errors call it) of a public model or a YAML."""
    public = PUBLIC.get(str(name))
    if public is not None:
        if public.task != task:
            known = ", ".join(sorted(k for k, m in PUBLIC.items() if m.task == task))
            raise ValueError(f"{SETTINGS[task]}: got {name!r}, expected one of {known}, or a YAML")
        return fetched(public), from_dict(cls, public.spec), f"model {name}"
    path = Path(name)
    if not path.is_file():
        known = ", ".join(sorted(k for k, m in PUBLIC.items() if m.task == task))
        raise FileNotFoundError(f"{path}: no such YAML, and no model of this name ({known})")
    return path.parent, load(path, cls), str(path)


def with_class_map(spec, path, source):
    """`spec` with the names of a class map file; ValueError names its unknown classes."""
    if spec.names:
        raise ValueError(f"{source}: got both names and class_map, expected one of them")
    if not path.is_file():
        raise FileNotFoundError(f"{source}: class_map: no such file: {path}")
    try:
        names = yaml.safe_load(path.read_text())  # JSON is YAML
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: neither YAML nor JSON: {error}") from None
    check_names(names, spec.class_names, str(path))
    return dataclasses.replace(spec, names=names)


def load_onnx(folder, spec, key, sha256_key, source):
    """The engine of the ONNX file that `spec` names under `key`, its checksum verified."""
    name, sha256 = getattr(spec, key), getattr(spec, sha256_key)
    path = folder / name
    if not name or not path.is_file():
        raise FileNotFoundError(f"{source}: {key}: no such file: {path}")
    if sha256:
        verify(path, sha256)
    return _made(source, lambda: make_engine(path, spec.engine, spec.threads))


def _made(source, make):
    try:
        return make()
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
