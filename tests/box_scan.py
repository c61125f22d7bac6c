"""A scan in ScanNet's own files, made of boxes: what several tests of scans share."""

import json

import numpy as np
import trimesh

# name, low corner, high corner, colour; the room is 4 m x 3 m, floor at z = 0
THINGS = (
    ("wall", (0, 3, 0), (4, 3.05, 2.4), (200, 200, 190)),
    ("wall", (0, -0.05, 0), (4, 0, 2.4), (190, 200, 200)),
    ("wall", (-0.05, 0, 0), (0, 3, 2.4), (200, 190, 200)),
    ("wall", (4, 0, 0), (4.05, 3, 2.4), (180, 180, 180)),
    ("chair", (3.2, 1.2, 0.02), (3.7, 1.7, 0.9), (200, 30, 30)),
    ("object", (0.2, 0.2, 0.02), (0.4, 0.4, 0.5), (30, 200, 30)),
)
FLOOR_COLOR = (120, 90, 60)
CHAIR = 6  # instance number: floor, four walls, chair, object


def parts(step=0.1):
    """[(label, Trimesh, colour)] with vertices about `step` apart; the floor comes first."""
    xs, ys = np.arange(0, 4 + step / 2, step), np.arange(0, 3 + step / 2, step)
    grid = np.stack(np.meshgrid(xs, ys, indexing="ij"), -1).reshape(-1, 2)
    k = np.arange(len(grid)).reshape(len(xs), len(ys))
    a, b, c, d = k[:-1, :-1], k[1:, :-1], k[1:, 1:], k[:-1, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    floor = trimesh.Trimesh(np.c_[grid, np.zeros(len(grid))], faces, process=False)
    out = [("floor", floor, FLOOR_COLOR)]
    for label, low, high, color in THINGS:
        box = trimesh.creation.box(bounds=(low, high)).subdivide_to_size(2 * step)
        out.append((label, box, color))
    return out


def write_scan(folder, T_raw_aligned=None, things=None, text=True):
    """Write the scan; its vertices are moved by T_raw_aligned, its .txt says how to undo that.

    Returns:
        (N,) index of the part of every vertex.
    """
    things = things or parts()
    T = np.eye(4) if T_raw_aligned is None else T_raw_aligned
    folder.mkdir(parents=True)
    sizes = [len(mesh.vertices) for _, mesh, _ in things]
    part = np.repeat(np.arange(len(things)), sizes)
    vertices = np.concatenate([m.vertices for _, m, _ in things]) @ T[:3, :3].T + T[:3, 3]
    starts = np.cumsum([0, *sizes])
    faces = np.concatenate([m.faces + s for (_, m, _), s in zip(things, starts, strict=False)])
    colors = np.repeat([c for _, _, c in things], sizes, axis=0)
    write_ply(folder / f"{folder.name}_vh_clean_2.ply", vertices, faces, colors)
    groups = [
        {"id": k, "objectId": k, "segments": [10 * k + 3], "label": label}
        for k, (label, _, _) in enumerate(things)
    ]
    write_json(folder / f"{folder.name}.aggregation.json", {"segGroups": groups})
    segs = {"segIndices": (10 * part + 3).tolist()}
    write_json(folder / f"{folder.name}_vh_clean_2.0.010000.segs.json", segs)
    if text:
        row = " ".join(f"{v:.9g}" for v in np.linalg.inv(T).ravel())
        (folder / f"{folder.name}.txt").write_text(f"axisAlignment = {row} \ncolorHeight = 968\n")
    return part


def write_ply(path, vertices, faces, colors=None, labels=None):
    """A PLY as ScanNet writes it, in text; colours and labels are optional."""
    columns, head = (
        [np.asarray(vertices, float)],
        "".join(f"property float {axis}\n" for axis in "xyz"),
    )
    if colors is not None:
        columns.append(np.c_[colors, np.full(len(vertices), 255)])
        head += "".join(f"property uchar {n}\n" for n in ("red", "green", "blue", "alpha"))
    if labels is not None:
        columns.append(np.asarray(labels)[:, None])
        head += "property ushort label\n"
    rows = np.concatenate(columns, axis=1)
    text = "\n".join(" ".join(f"{v:.9g}" for v in row) for row in rows.tolist())
    text += "\n" + "\n".join(f"3 {a} {b} {c}" for a, b, c in np.asarray(faces).tolist()) + "\n"
    path.write_text(
        f"ply\nformat ascii 1.0\nelement vertex {len(vertices)}\n{head}element face {len(faces)}\n"
        f"property list uchar int vertex_indices\nend_header\n{text}"
    )


def write_json(path, content):
    path.write_text(json.dumps(content))
