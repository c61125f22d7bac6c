"""Wavefront OBJ with the colours of its materials, read from bytes."""

import posixpath

import cv2
import numpy as np

from roomcad_core.library_build.files import inside
from roomcad_core.library_build.model import Mesh

GREY = (180, 180, 180)


def read_obj(files, path):
    """Read an OBJ of a container of `files`, in its own units and axes.

    Raises ValueError, with the line, for what is no valid OBJ; missing materials are grey.
    """
    text = files.read(path).decode("utf-8", "replace")
    folder = posixpath.dirname(inside("", path))
    vertices, triangles, colors, palette, color = [], [], [], {}, GREY
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        try:
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "v":
                vertices.append([float(w) for w in words[1:4]])
                if len(vertices[-1]) != 3:
                    raise ValueError("expected three coordinates")
            elif words[0] == "f":
                corners = _corners(words[1:], len(vertices))
                triangles += [
                    [corners[0], a, b] for a, b in zip(corners[1:], corners[2:], strict=False)
                ]
                colors += [color] * max(len(corners) - 2, 0)
            elif words[0] == "mtllib":
                palette |= _palette(files, folder, line.split(None, 1)[1])
            elif words[0] == "usemtl":
                color = palette.get(line.split(None, 1)[1].strip() if len(words) > 1 else "", GREY)
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path}: line {number}: {error}") from None
    if not triangles:
        raise ValueError(f"{path}: no faces")
    return Mesh(np.array(vertices, float), np.array(triangles, int), np.array(colors, np.uint8))


def _corners(words, n_vertices):
    """Vertex indices from 0 of a face's words such as 3, 3/1 or -1/-1/-1.

    Real files hold faces of two corners; they give no triangle.
    """
    corners = [int(word.split("/")[0]) for word in words]
    corners = [c - 1 if c > 0 else n_vertices + c for c in corners]
    if not corners or not all(0 <= c < n_vertices for c in corners):
        raise ValueError(f"face {words} does not name any of the {n_vertices} vertices")
    return corners


def _palette(files, folder, reference):
    """{material name: RGB} of an MTL file: the diffuse colour, or the mean of its texture."""
    try:
        text = files.read(inside(folder, reference)).decode("utf-8", "replace")
    except (FileNotFoundError, ValueError):
        return {}
    palette, name = {}, ""
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2:
            continue
        if words[0] == "newmtl":
            name = line.split(None, 1)[1].strip()
        elif words[0] == "Kd" and len(words) == 4:
            palette[name] = _rgb(words[1:4])
        elif words[0] == "map_Kd":
            palette[name] = _mean_color(files, folder, words[-1]) or palette.get(name, GREY)
    return palette


def _rgb(words):
    try:
        return tuple(int(255 * min(max(float(w), 0.0), 1.0)) for w in words)
    except ValueError:
        return GREY


def _mean_color(files, folder, reference):
    """Mean RGB of a texture, or None where it cannot be read."""
    try:
        data = np.frombuffer(files.read(inside(folder, reference)), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except (FileNotFoundError, ValueError, cv2.error):
        return None
    return None if image is None else tuple(int(c) for c in image.reshape(-1, 3).mean(0)[::-1])
