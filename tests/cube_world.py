"""A scene on disk whose CADs are cubes: its annotations, one frame of it, and the meshes."""

import json

import numpy as np

from roomcad_offline.evaluation.annotations import read_annotations
from roomcad_offline.evaluation.image_evaluation import TruthSource

CHAIR = "03001627"
K = np.array([[100.0, 0, 49.5], [0, 100, 39.5], [0, 0, 1]])
SHAPE = (80, 100)
CUBE = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
FACES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 7, 5], [4, 6, 7], [0, 5, 1], [0, 4, 5],
     [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
)  # fmt: skip


def trs(t, s=(1, 1, 1)):
    return {"translation": list(t), "rotation": [1, 0, 0, 0], "scale": list(s)}


def model(cad_id, t, category=CHAIR, s=(1, 1, 1)):
    return {"trs": trs(t, s), "sym": "__SYM_NONE", "catid_cad": category, "id_cad": cad_id,
            "center": [0, 0, 0], "bbox": [0.5, 0.5, 0.5]}  # fmt: skip


def write_world(folder, models, depth, scene="scene0000_00", T_scan_cam=None):
    """Annotations, frames folder and CADs of one scene with the frame 000100."""
    import cv2

    obj = "".join(f"v {x} {y} {z}\n" for x, y, z in CUBE)
    obj += "".join("f {} {} {}\n".format(*(f + 1)) for f in FACES)
    mesh = folder / "cads" / CHAIR / "cube" / "models" / "model_normalized.obj"
    mesh.parent.mkdir(parents=True)
    mesh.write_text(obj)
    frames = folder / "frames" / scene
    for name in ("depth", "pose", "intrinsic"):
        (frames / name).mkdir(parents=True)
    cv2.imwrite(str(frames / "depth" / "000100.png"), np.rint(depth * 1000).astype(np.uint16))
    np.savetxt(frames / "pose" / "000100.txt", np.eye(4) if T_scan_cam is None else T_scan_cam)
    intrinsics = np.eye(4)
    intrinsics[:3, :3] = K
    np.savetxt(frames / "intrinsic" / "intrinsic_depth.txt", intrinsics)
    entry = {"id_scan": scene, "trs": trs((0, 0, 0)), "n_aligned_models": len(models),
             "aligned_models": models}  # fmt: skip
    path = folder / "full_annotations.json"
    path.write_text(json.dumps([entry]))
    return read_annotations(path), TruthSource(folder / "frames", folder / "cads")
