"""Objects to classes by a PointNet on their crops."""

import dataclasses

import numpy as np

from roomcad_core.classify.context import pooled
from roomcad_core.classify.crop_network import load_network
from roomcad_core.classify.rejected import rejected
from roomcad_core.crop_input import crop_fault
from roomcad_core.retrieve import Retriever
from roomcad_core.types import OTHER

RETRIEVED_CLASSES = 3  # classes of an object for which CAD models are retrieved


class PointNetClassifier:
    """Names the objects of a frame in one batch.

    class_scores holds the probability of every label the network knows: calibrated, and pooled
    with what the object's surroundings say, where the segmentation knows. The label is the most
    probable one that the library has a model of (or `other`): a class without CAD keeps its
    probability, but cannot be placed. cad_ids holds the retrieved models, best class first.
    """

    def __init__(self, config, library, before=None):
        """Load the network `config.model`, unless `before` has it; errors as load_network."""
        self._config = config
        same = before and all(
            getattr(config, name) == getattr(before._config, name)
            for name in ("model", "engine", "precision")
        )
        self.network = (
            before.network if same else load_network(config.model, config.engine, config.precision)
        )
        labels = self.network.spec.labels
        self._possible = [c for c in labels if c == OTHER or library.of_class(c)]
        self._retriever = before._retriever if same else None
        if config.retrieved and not self._retriever:
            self._retriever = Retriever(self.network, library)

    @property
    def engine(self):
        """What the network runs on."""
        return self.network.engine.name

    def __call__(self, segmentation):
        """Name every object of a Segmentation.

        Objects that carry a label, a detector's, keep it; CAD models of that class are retrieved
        for those that have none.
        """
        objects = list(segmentation.objects)
        usable = []
        for k, obj in enumerate(objects):
            if obj.label and not self._lacks_models(obj):
                continue
            fault = crop_fault(obj.points)
            if not fault:
                usable.append(k)
            elif not obj.label:
                objects[k] = rejected(obj, fault)
        if usable:
            crops = [objects[k].points for k in usable]
            answers = self.network(crops, segmentation.floor_z, self._config.votes)
            for k, p, embedding in zip(usable, *answers, strict=True):
                named = self._with_models if objects[k].label else self._named
                objects[k] = named(objects[k], p, embedding)
        return dataclasses.replace(segmentation, objects=tuple(objects))

    def crop_scores(self, segmentation):
        """[{label: probability}] of a Segmentation's objects by their crops alone, {} where a crop
        cannot be classified."""
        points = [obj.points for obj in segmentation.objects]
        usable = [k for k, crop in enumerate(points) if not crop_fault(crop)]
        scores = [{} for _ in points]
        if usable:
            crops = [points[k] for k in usable]
            p, _ = self.network(crops, segmentation.floor_z, self._config.votes)
            for k, row in zip(usable, p.tolist(), strict=True):
                scores[k] = dict(zip(self.network.spec.labels, row, strict=True))
        return scores

    def _lacks_models(self, obj):
        """Whether CAD models can be retrieved for an object that a detector named."""
        return bool(
            self._config.retrieved
            and not obj.cad_ids
            and obj.label in self._possible
            and obj.label != OTHER
        )

    def _with_models(self, obj, _, embedding):
        if not np.isfinite(embedding).all():
            return obj
        found = self._retriever(embedding, obj.label, self._config.retrieved)
        return dataclasses.replace(obj, cad_ids=tuple(found))

    def _named(self, obj, p, embedding):
        if not np.isfinite(p).all():
            return rejected(obj, "got no finite probability from the network")
        scores = dict(zip(self.network.spec.labels, p.tolist(), strict=True))
        scores = pooled(scores, obj.class_scores, self.network.spec.pooling)
        label = max(self._possible, key=scores.get, default=OTHER)
        if scores.get(label, 0.0) < self._config.min_score:
            label = OTHER
        cad_ids = () if label == OTHER else self._retrieved(scores, embedding)
        return dataclasses.replace(
            obj, label=label, score=scores.get(label, 0.0), class_scores=scores, cad_ids=cad_ids
        )

    def _retrieved(self, scores, embedding):
        """CAD ids of the most probable classes: the aligner may yet correct the class."""
        if not self._config.retrieved:
            return ()
        classes = sorted((c for c in self._possible if c != OTHER), key=scores.get, reverse=True)
        found = (self._retriever(embedding, c, self._config.retrieved)
                 for c in classes[:RETRIEVED_CLASSES])  # fmt: skip
        return tuple(cad_id for ids in found for cad_id in ids)
