"""Endless synthetic training scenes: CAD models in random and room-like poses, as Batches.

In reading order: `config` (all settings), `bank` (the CAD models as tensors), `camera`, `layout`
(where furniture stands), `clutter` and `background` (what else is in the picture), `raster` (an
exact z-buffer of the meshes at map resolution), `shade`, `sensor` and `normals` (what a camera
makes of it), `detect` (masks and boxes as a detector gives them), `generate` (all of it in order)
and `look` (pictures of a batch). Everything is torch, works on whole batches and runs on CPU and
GPU alike.

Choices where the paper is silent: 3D-Future gives way to any CAD library; half the scenes are
room-like instead of random; all objects of a random scene share one up direction to within a few
degrees, because a robot knows gravity.
"""

from roomcad_offline.multi_sparc.scenes.bank import CadBank, Source
from roomcad_offline.multi_sparc.scenes.config import SceneConfig
from roomcad_offline.multi_sparc.scenes.generate import SceneGenerator

__all__ = ["CadBank", "SceneConfig", "SceneGenerator", "Source"]
