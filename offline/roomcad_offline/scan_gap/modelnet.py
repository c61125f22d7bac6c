"""ModelNet40 as labelled clouds: from the OFF folders of the release, or from a cache of them."""

import zipfile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from roomcad_offline.scan_gap.clouds import CLASSES_8, N_POINTS, Clouds, unit_sphere

# ModelNet40's class index -> ScanObjectNN's, for the 11 classes both have (facts of the
# ScanObjectNN paper's cross-domain test; several ModelNet classes may fall into one).
TO_SCANOBJECTNN_11 = {
    "bed": "bed",
    "bookshelf": "shelf",
    "chair": "chair",
    "bench": "chair",
    "stool": "chair",
    "desk": "desk",
    "door": "door",
    "dresser": "cabinet",
    "wardrobe": "cabinet",
    "monitor": "display",
    "sink": "sink",
    "sofa": "sofa",
    "table": "table",
    "toilet": "toilet",
}


def read_cache(path, name="modelnet40"):
    """Clouds of an npz with points (N, 1024, 3), label (N,), classes (C,); z up."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such cache; `roomcad-offline scan-gap cache` makes it")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in ("points", "label", "classes")}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: unreadable: {error}") from None
    classes = tuple(str(c) for c in arrays["classes"])
    labels = arrays["label"].astype(np.int64)
    return Clouds(name, arrays["points"].astype(np.float32), labels, classes)


def build_cache(root, split, out, classes=CLASSES_8, seed=42):
    """Sample ROOT/class/split/*.off to 1,024 surface points each and write them as an npz.

    The post's cache: trimesh surface sampling, centred, scaled to the unit sphere. Meshes that
    cannot be read are named and left out. Returns (clouds written, names left out).
    """
    files = off_files(Path(root), split, classes)
    points, labels, names, bad = [], [], [], []
    for label, path in tqdm(files, f"{split}", unit="mesh"):
        try:
            points.append(sample_off(path, seed + len(points)))
        except ValueError as error:
            bad.append(f"{path.name}: {error}")
            continue
        labels.append(label)
        names.append(path.stem)
    if not points:
        raise ValueError(f"{root}: no readable mesh in {split}: {'; '.join(bad[:3])}")
    np.savez_compressed(
        out,
        points=np.stack(points),
        label=np.array(labels, np.int16),
        name=np.array(names),
        classes=np.array(classes),
    )
    return len(points), bad


def off_files(root, split, classes):
    """(label, path) of every OFF file, in a fixed order; a class without a folder is an error."""
    missing = [c for c in classes if not (root / c / split).is_dir()]
    if missing:
        raise FileNotFoundError(f"{root}: no folder {missing[0]}/{split} (ModelNet40 layout)")
    return [
        (label, path)
        for label, name in enumerate(classes)
        for path in sorted((root / name / split).glob("*.off"))
    ]


def sample_off(path, seed, n=N_POINTS):
    """(n, 3) float32 points, uniform on the surface of an OFF mesh, in the unit sphere."""
    import trimesh

    vertices, faces = read_off(path)
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    if not mesh.area > 0:
        raise ValueError("the mesh has no surface")
    points, _ = trimesh.sample.sample_surface(mesh, n, seed=seed)
    return unit_sphere(np.asarray(points, np.float32))


def read_off(path):
    """Vertices (V, 3) float and triangles (F, 3) int of an OFF file.

    Many ModelNet40 files have the counts glued to the keyword (`OFF490 518 0`). Polygons become
    triangle fans. Raises ValueError, naming what is wrong, for anything else.
    """
    text = Path(path).read_text(errors="replace").strip()
    if not text.startswith("OFF"):
        raise ValueError(f"not an OFF file: it begins with {text[:12]!r}")
    # Comments run to the end of their line.
    body = "\n".join(line.split("#", 1)[0] for line in text[3:].splitlines())
    numbers = body.split()
    try:
        n_vertices, n_faces = int(numbers[0]), int(numbers[1])
        start = 3 + 3 * n_vertices
        if n_vertices < 3 or n_faces < 1 or len(numbers) < start:
            raise ValueError("too few numbers")
        vertices = np.array(numbers[3:start], float).reshape(-1, 3)
        faces, at = [], start
        for _ in range(n_faces):
            corners = [int(i) for i in numbers[at + 1 : at + 1 + int(numbers[at])]]
            if len(corners) != int(numbers[at]) or len(corners) < 3:
                raise ValueError("a face ends early or has fewer than three corners")
            faces += [(corners[0], b, c) for b, c in zip(corners[1:-1], corners[2:], strict=True)]
            at += 1 + len(corners)
            # Colours of a face may follow on its line in general OFF; ModelNet40 has none.
    except (IndexError, ValueError) as error:
        raise ValueError(f"malformed OFF: {error}") from None
    faces = np.array(faces)
    if faces.min() < 0 or faces.max() >= n_vertices or not np.isfinite(vertices).all():
        raise ValueError("malformed OFF: a face names a missing vertex, or a vertex is not finite")
    return vertices, faces
