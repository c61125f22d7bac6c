"""The robot's own stages on the benchmark, given more and more of the truth.

    own      own segmentation, classification and retrieval
    mask     true masks; own class and CAD
    class    true masks and classes; own CAD
    cad      true masks, classes and CAD ids: what the aligner alone can do

The library searched is the benchmark's, so the right CAD is always in it. With own masks an
alignment belongs to the object view of its class whose box it overlaps most (the paper, section
4.1); of several on one view the best scored counts.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np

from roomcad_core.align import make_aligner
from roomcad_core.classify import make_classifier
from roomcad_core.config import AlignConfig, ClassifyConfig, SegmentConfig
from roomcad_core.crop_input import crop_fault
from roomcad_core.library import models_folder
from roomcad_core.retrieve import Retriever
from roomcad_core.segment import Segmenter
from roomcad_core.segment.crops import bounding_boxes, make_objects
from roomcad_offline.multi_sparc.benchmark.judge import iou
from roomcad_offline.multi_sparc.benchmark.outcomes import outcome
from roomcad_offline.multi_sparc.benchmark.views import digest

GIVEN = ("own", "mask", "class", "cad")
SAME_MASK = 0.5  # IoU from which a segment is the object


class Stages:
    """Segment, classify and align with any of GIVEN."""

    def __init__(self, library, aligner, classifier="deployed", align_config=None, align=None):
        """`aligner` and `classifier`: names of the configs; no classifier is loaded for `cad`.

        `align_config`: AlignConfig whose other fields are taken; None = the defaults.
        `align`: the aligner itself; None = made of the config.
        """
        self.library, self.segment_config = library, SegmentConfig()
        self.config = dataclasses.replace(align_config or AlignConfig(), aligner=aligner)
        self.segment = Segmenter(self.segment_config)
        self.align = align or make_aligner(self.config, library)
        self._model, self._classify, self._retrieve = classifier, None, None

    def identity(self, views):
        """Text that changes with everything the outcomes depend on, code apart."""
        manifest = (models_folder() / "manifest.json").read_text()  # hashes of all networks
        settings = [dataclasses.asdict(c) for c in (self.config, self.segment_config)]
        parts = [*settings, self._model, digest(views), manifest]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def frame(self, frame, views, given):
        """{one of `given`: Outcomes of the frame's ObjectViews}."""
        own = self.segment(frame)
        masks = {v.id: frame.instances == v.id for v in views}
        out = {}
        for name in given:
            if name == "own":
                out[name] = self._own(frame, views, own, masks)
            else:
                out[name] = self._given(frame, views, own, name)
        return out

    def _own(self, frame, views, segmentation, masks):
        named = self.classify(segmentation)
        aligned = self.align(frame, named)
        boxes = bounding_boxes(frame.instances)
        belongs = owners(aligned, named, views, boxes)
        outcomes = []
        for k, view in enumerate(views):
            segment = segment_of(masks[view.id], named)
            outcomes.append(
                outcome(belongs.get(k), segment.label if segment else "", bool(segment))
            )
        return outcomes

    def _given(self, frame, views, own, name):
        """With true masks: object k + 1 of the segmentation is views[k]."""
        instances = np.zeros(frame.depth.shape, np.uint16)
        for k, view in enumerate(views):
            instances[frame.instances == view.id] = k + 1
        objects = make_objects(instances, {}, frame, own.T_grav_cam, self.segment_config)
        true = dataclasses.replace(own, instances=instances, objects=objects)
        if name == "mask":
            true = self.classify(true)
        else:
            named = (self._named(o, views[o.id - 1], own.floor_z, name) for o in objects)
            true = dataclasses.replace(true, objects=tuple(named))
        found = {a.object_id: a for a in self.align(frame, true)}
        labels = {o.id: o.label for o in true.objects}
        return [outcome(found.get(k + 1), labels.get(k + 1, ""), True) for k in range(len(views))]

    def _named(self, obj, view, floor_z, name):
        """Object with its true class, and its CAD id given or retrieved."""
        if name == "cad":
            ids = (view.cad_id,)
        else:
            ids = () if crop_fault(obj.points) else self.retrieve(obj, view.label, floor_z)
        label = view.label
        return dataclasses.replace(
            obj, label=label, score=1.0, class_scores={label: 1.0}, cad_ids=ids
        )

    @property
    def classify(self):
        """The robot's classifier, loaded when first asked for."""
        if self._classify is None:
            self._classify = make_classifier(ClassifyConfig(model=self._model), self.library)
        return self._classify

    def retrieve(self, obj, label, floor_z):
        """Ids of the models of a class that look like an Object; () without a network."""
        network = getattr(self.classify, "network", None)
        if network is None:
            return ()
        if self._retrieve is None:
            self._retrieve = Retriever(network, self.library)
        _, embeddings = network([obj.points], floor_z)
        return self._retrieve(embeddings[0], label, ClassifyConfig().retrieved)


def owners(aligned, segmentation, views, boxes):
    """{position of an ObjectView: the best scored Alignment that belongs to it}."""
    found_box = {o.id: o.box for o in segmentation.objects}
    best = {}
    for a in aligned:
        overlaps = [iou(found_box[a.object_id], boxes[v.id]) if v.label == a.label else 0.0
                    for v in views]  # fmt: skip
        k = int(np.argmax(overlaps)) if overlaps else 0
        if overlaps and overlaps[k] > 0 and (k not in best or a.score > best[k].score):
            best[k] = a
    return best


def segment_of(mask, segmentation):
    """The Object whose segment is a true mask (H, W), or None."""
    ids, counts = np.unique(segmentation.instances[mask], return_counts=True)
    for i, common in sorted(zip(ids, counts, strict=True), key=lambda pair: -pair[1]):
        whole = mask.sum() + (segmentation.instances == i).sum() - common
        if i and common / whole >= SAME_MASK:
            return next((o for o in segmentation.objects if o.id == i), None)
    return None
