"""How good the retrieved CAD models are, on objects of simulated rooms whose model is known."""

import numpy as np
from scipy.spatial import cKDTree

from roomcad_core.align import nearest_in_size
from roomcad_core.boxes import fit_upright_box
from roomcad_core.retrieve import Retriever

N_CHAMFER = 1024  # points a model for the Chamfer distance
TOP = 5


def chamfer_table(asked, library):
    """{asked id: {library id: Chamfer distance}} of the models of equal class.

    The symmetric mean distance between the surfaces in the unit frame, where all models have
    the extents 1: what remains after the aligner's three scales.
    """
    trees = {m.id: cKDTree(m.points[:N_CHAMFER]) for m in library}
    table = {}
    for model in asked:
        own = cKDTree(model.points[:N_CHAMFER])
        table[model.id] = {
            other.id: (own.query(other.points[:N_CHAMFER])[0].mean()
                       + trees[other.id].query(model.points[:N_CHAMFER])[0].mean()) / 2
            for other in library.of_class(model.label)
        }  # fmt: skip
    return table


def judge_retrieval(network, library, crops, embeddings, room_library):
    """Hit rates and Chamfer distances of the furniture among RoomCrops.

    Args:
        network: CropNetwork that made the embeddings.
        library: Library searched.
        crops: RoomCrops; only furniture counts, its class given.
        embeddings: (N, E) of the crops.
        room_library: Library the rooms are furnished from; hits count where it is `library`.

    Returns:
        dict of means over the objects; distances in units of the object's size.
    """
    retriever = Retriever(network, library)
    used = sorted({c.cad_id for c in crops if c.kind == "furniture"})
    table = chamfer_table([room_library[i] for i in used], library)
    hits, found, best, mean, by_size = [], [], [], [], []
    for crop, embedding in zip(crops, embeddings, strict=True):
        if crop.kind != "furniture":
            continue
        ranked = retriever(embedding, crop.label, TOP)
        distances = table[crop.cad_id]
        hits.append([crop.cad_id in ranked[:1], crop.cad_id in ranked])
        found.append((distances[ranked[0]], min(distances[i] for i in ranked)))
        box = fit_upright_box(crop.points)
        by_size.append(distances[nearest_in_size(library.of_class(crop.label), box)[0].id])
        best.append(min(distances.values()))
        mean.append(np.mean(list(distances.values())))
    top1, top5 = np.mean(hits, 0)
    first, best_of_five = np.mean(found, 0)
    return {
        "objects": len(hits),
        "top1": float(top1),
        "top5": float(top5),
        "chance_top1": float(np.mean([1 / len(table[c.cad_id]) for c in crops
                                      if c.kind == "furniture"])),
        "chamfer_retrieved": float(first),
        "chamfer_best_of_five": float(best_of_five),
        "chamfer_nearest_in_size": float(np.mean(by_size)),
        "chamfer_best_possible": float(np.mean(best)),
        "chamfer_random": float(np.mean(mean)),
    }  # fmt: skip
