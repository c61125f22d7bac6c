"""Multi-SPARC's refinement loop as a file: ONNX for inference engines, safetensors for training."""

from roomcad_offline.multi_sparc.config import config_from_dict
from roomcad_offline.multi_sparc.export_loop import loop_model
from roomcad_offline.multi_sparc.network import MultiSparc
from roomcad_offline.weights import check_weights, read_weights, write_whole

SIZE = (120, 160)  # height, width of the maps [px] that the robot's network is trained with


def save_loop(network, n, path, size=SIZE):
    """Write n updates and a scoring pass of one image as ONNX.

    Inputs and outputs are those of export_loop.input_shapes and output_shapes; the results equal
    those of refine.refine on the same image.

    Args:
        network: MultiSparc with trained weights.
        n: number of updates, 0 or more.
        path: file to write.
        size: height and width of the maps [px].

    Raises:
        ValueError: weights that are not finite, or a negative n.
    """
    check_weights(network)
    if n < 0:
        raise ValueError(f"number of updates: expected 0 or more, got {n}")
    write_whole(path, loop_model(network, n, *size).SerializeToString())


def load_weights(path):
    """MultiSparc of a file of save_weights; ValueError if it is damaged or of another kind."""
    return read_weights(path, lambda config: MultiSparc(config_from_dict(config)), "a Multi-SPARC")
