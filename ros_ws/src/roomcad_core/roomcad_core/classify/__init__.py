"""Objects in, named objects out: by a PointNet on their crops, or without weights by their size."""

from roomcad_core.classify.box_size import FREQUENCY, BoxSizeClassifier
from roomcad_core.classify.pointnet import PointNetClassifier

__all__ = ["FREQUENCY", "BoxSizeClassifier", "PointNetClassifier", "make_classifier"]


def make_classifier(config, library, before=None):
    """The classifier that `config` (ClassifyConfig) names; call it with a Segmentation.

    `before`: one with the same library, of which all goes on that the settings leave alone.
    FileNotFoundError or ValueError where its model files are missing or wrong.
    """
    kind = BoxSizeClassifier if config.model == "box_size" else PointNetClassifier
    return kind(config, library, before if isinstance(before, kind) else None)
