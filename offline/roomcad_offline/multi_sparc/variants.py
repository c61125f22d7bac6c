"""Scaled-down variants of Tables 1 and 4: the network `live` with one thing changed in each.

They are small enough that all can be trained at an equal budget; what is changed keeps the
paper's proportions (half of the latents, rows cut down to a tenth and less), not its numbers.
"""

from dataclasses import replace

from roomcad_offline.multi_sparc.config import ModelConfig, preset

BASE = "live"
REFERENCE = "reference"


def changed(base, inputs=None, **network):
    """ModelConfig with some fields of its two parts replaced."""
    return ModelConfig(replace(base.network, **network), replace(base.inputs, **(inputs or {})))


def variants():
    """{name: ModelConfig} of all rows, the unchanged network first."""
    base = preset(BASE)
    latents = base.network.n_latent
    sparse, sparsest = {"n_bbox": 50, "n_cad": 50}, {"n_bbox": 20, "n_cad": 20}
    return {
        REFERENCE: base,
        # Table 1
        "joint-decoding": changed(base, joint_decoding=True),
        "joint-encoding": changed(base, joint_encoding=True),
        "single-object": changed(base, n_mul=1),
        "sparse-joint": changed(base, sparse, joint_encoding=True),
        "sparsest-joint": changed(base, sparsest, joint_encoding=True),
        # Table 4
        "latents-half": changed(base, n_latent=latents // 2),
        "mul-10-latents-quarter": changed(base, n_mul=10, n_latent=latents // 4),
        "mul-10-latents-half": changed(base, n_mul=10, n_latent=latents // 2),
        # Not in the paper: what its inputs lack, see InputConfig
        "sparse": changed(base, sparse),
        "not-paired": changed(base, {"paired": False}),
        "no-object-frame": changed(base, {"object_frame": False}),
        "paper-inputs": changed(base, {"paired": False, "object_frame": False}),
    }


def preset_name(name):
    """What a variant is called among the presets, where the paper's own sizes have the names."""
    return BASE if name == REFERENCE else f"{BASE}-{name}"


def slots(model, fewest):
    """Object slots of a variant's training images: its own n_mul, where that is more."""
    return max(model.network.n_mul, fewest)
