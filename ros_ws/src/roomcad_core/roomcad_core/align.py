"""Objects to CAD poses: by the Multi-SPARC network, or by the ICP baseline without weights."""

from roomcad_core.candidates import nearest_in_size
from roomcad_core.icp import IcpAligner
from roomcad_core.multi_sparc import MultiSparcAligner

__all__ = [
    "ALIGNERS",
    "IcpAligner",
    "MultiSparcAligner",
    "make_aligner",
    "mode_mismatch",
    "nearest_in_size",
]

ALIGNERS = {"icp": IcpAligner, "multi_sparc": MultiSparcAligner}


def make_aligner(config, library, updates=(), before=None):
    """The aligner that `config` (AlignConfig) names.

    Call it with a Frame, a Segmentation and, for objects of which more is known, {object id:
    types.Start}. An aligner has `engine`, what it computes with; `dropped`, the objects of the
    last frame that it could not align (tuple of types.Dropped); and `passes`, what each of the
    others took ({object id: passes of the network}).

    `updates`: numbers of updates, other than the config's, that a Start may ask for.
    `before`: an aligner with the same library, whose networks serve again where they are the same.

    Raises:
        FileNotFoundError: a model file is missing.
        ValueError: one is malformed, or is not of the configuration that the manifest states.
        ImportError: the engine's package is not installed.
    """
    kind = ALIGNERS[config.aligner]
    before = before if isinstance(before, kind) else None
    return kind(config, library, updates=updates, before=before)


def mode_mismatch(aligner, input, name):
    """Why poses and scores may be worse than the model's card says; "" where nothing is wrong.

    A network that was trained for the depth of a sensor may be run on predicted depth, and the
    other way round: that works, but is not what it has learnt.

    Args:
        aligner: of make_aligner; `input`: one of config.INPUTS; `name`: AlignConfig.model.
    """
    mode = getattr(aligner, "mode", input)
    if mode == input:
        return ""
    return f"align.model: {name!r} was trained for input {mode} and gets {input}"
