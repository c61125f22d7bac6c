"""Objects in, named objects out: by a PointNet on their crops, or without weights by their size."""

from roomcad_core.classify.box_size import FREQUENCY, BoxSizeClassifier
from roomcad_core.classify.pointnet import PointNetClassifier

__all__ = ["FREQUENCY", "BoxSizeClassifier", "PointNetClassifier", "make_classifier"]


def make_classifier(config, library):
    """The classifier that `config` (ClassifyConfig) names; call it with a Segmentation.

    FileNotFoundError or ValueError where its model files are missing or wrong.
    """
    kind = BoxSizeClassifier if config.model == "box_size" else PointNetClassifier
    return kind(config, library)
