"""The gate: the shipped defaults on fixed frames, simulated and real, are as good as pinned.

`python -m roomcad_offline.cli real gate` prints the figures. Pins are raised with what raises them,
never lowered silently.
"""

import dataclasses

import pytest

from roomcad_core.config import PipelineConfig, SegmentConfig
from roomcad_core.pipeline import Pipeline
from roomcad_offline.benchmarks.real.gate import (
    fallen,
    gate_figures,
    gate_frames,
    gate_sources,
    pins,
)
from roomcad_offline.benchmarks.real.sources import KINDS


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """frames(kind): the fixed frames of a kind; skips where its data are not at hand."""
    work, made = tmp_path_factory.mktemp("gate"), {}

    def get(kind):
        if kind not in made:
            try:
                made[kind] = list(gate_frames(gate_sources(kind, work)))
            except FileNotFoundError as error:
                pytest.skip(str(error))
        return made[kind]

    return get


@pytest.fixture(scope="module")
def shipped():
    return Pipeline()


def changed(**segment):
    """A Pipeline with other settings of the segmentation."""
    return Pipeline(dataclasses.replace(PipelineConfig(), segment=SegmentConfig(**segment)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_defaults_are_as_good_as_pinned(kind, frames, shipped):
    assert fallen(kind, gate_figures(frames(kind), shipped)) == []


@pytest.mark.parametrize("settings", [{"min_points": 5000}, {"max_depth": 2.0}], ids=str)
def test_the_gate_fails_with_a_worse_segmentation(settings, frames):
    assert fallen("simulated", gate_figures(frames("simulated"), changed(**settings)))


def test_the_gate_fails_when_classes_are_permuted(frames, monkeypatch):
    pipeline = Pipeline()
    classify = pipeline.classify
    names = {"chair": "sofa", "sofa": "table", "table": "cabinet", "cabinet": "chair"}

    def permuted(segmentation):
        made = classify(segmentation)
        objects = (dataclasses.replace(o, label=names.get(o.label, o.label)) for o in made.objects)
        return dataclasses.replace(made, objects=tuple(objects))

    monkeypatch.setattr(pipeline, "classify", permuted)
    # What is furniture does not change, only what it is called.
    (worse,) = fallen("simulated", gate_figures(frames("simulated"), pipeline))
    assert "both_right" in worse


def test_only_what_is_worse_than_pinned_fails():
    for kind, pinned in pins().items():
        assert fallen(kind, pinned) == []
        better = {"recall": 1.0, "both_right": 1.0, "false_share": 0.0}
        assert fallen(kind, better) == []
        for name, step in (("recall", -0.1), ("both_right", -0.1), ("false_share", 0.1)):
            (text,) = fallen(kind, {**pinned, name: pinned[name] + step})
            assert name in text and kind in text
