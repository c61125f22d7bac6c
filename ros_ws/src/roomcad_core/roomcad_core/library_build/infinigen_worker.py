"""Makes infinigen's furniture; run by the Python of the models environment, never imported.

Says {"ok": true} when it is ready. Then one job a line on stdin: {"factory": "module:Class",
"seed": 3, "set": {...}, "flat": true, "out": "x.npz"}, and one answer a line on stdout:
{"ok": true, ...} or {"ok": false, "error": "..."}.
Meshes keep Blender's axes (z up) and metres.
"""

import importlib
import json
import os
import sys

import bpy  # first: bmesh is a part of it
import numpy as np

# isort: split
import bmesh

PACKAGE = "infinigen.assets.objects."
GREY = (0.6, 0.6, 0.6)
FLAT = 0.01  # angle between faces that count as one plane [rad]
DEPTH = 6  # shader nodes followed upstream for a colour


def main():
    """Answer jobs until stdin ends."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Blender and infinigen print to stdout
    forbid_addons()
    print(json.dumps({"ok": True}), file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=out, flush=True)


def answer(job):
    """What became of a job; whatever a factory raises, the next job goes on."""
    try:
        return {"ok": True, **make(job)}
    except Exception as error:
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}


def forbid_addons():
    """Keep infinigen from fetching Blender add-ons for landscapes over the network."""
    import infinigen.core.init

    infinigen.core.init.require_blender_addon = lambda *_, **__: True


def make(job):
    """Make one model and write its vertices, triangles and face colours; returns its facts."""
    from infinigen.core.util.math import FixedSeed

    clear()
    module, name = job["factory"].split(":")
    with FixedSeed(job["seed"]):
        factory = getattr(importlib.import_module(PACKAGE + module), name)(job["seed"])
        for key, value in job.get("set", {}).items():
            change(factory, key, value)
        root = factory.spawn_asset(0)
        factory.finalize_assets([root])
        mesh = collect(root, job.get("flat", False))
    write(job["out"], *mesh)
    numbers = {k: float(v) for k, v in vars(factory).items() if isinstance(v, (int, float))}
    return {"vertices": len(mesh[0]), "triangles": len(mesh[1]), "numbers": numbers}


def clear():
    """Empty the scene; caches of names in Blender's data go with it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)


def change(factory, key, value):
    """Set an attribute of a factory, or an entry of its `params` where the key says so."""
    if key.startswith("params."):
        factory.params = {**factory.params, key.removeprefix("params."): value}
    else:
        setattr(factory, key, value)


def collect(root, flat):
    """(V, 3) vertices [m], (F, 3) triangles and (F, 3) colours of an object and its children.

    `flat`: join the faces of one plane first.
    """
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    names = {root.name, *(child.name for child in root.children_recursive)}
    parts, first = [], 0
    for instance in graph.object_instances:
        owner = instance.parent.original if instance.is_instance else instance.object.original
        if owner.name not in names or instance.object.type not in ("MESH", "CURVE", "SURFACE"):
            continue
        vertices, triangles, colors = arrays(instance.object, np.array(instance.matrix_world), flat)
        parts.append((vertices, triangles + first, colors))
        first += len(vertices)
    if not any(len(part[1]) for part in parts):
        raise ValueError("the factory made no faces")
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def arrays(obj, T_world_obj, flat):
    """World vertices, triangles and face colours of one evaluated object."""
    mesh = obj.to_mesh()
    if flat:
        merge_planes(mesh)
    mesh.calc_loop_triangles()
    vertices = np.zeros(3 * len(mesh.vertices), np.float32)
    triangles = np.zeros(3 * len(mesh.loop_triangles), np.int32)
    slots = np.zeros(len(mesh.loop_triangles), np.int32)
    mesh.vertices.foreach_get("co", vertices)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    mesh.loop_triangles.foreach_get("material_index", slots)
    palette = np.array([color(material) for material in mesh.materials] or [encode(GREY)])
    vertices = vertices.reshape(-1, 3) @ T_world_obj[:3, :3].T + T_world_obj[:3, 3]
    triangles = triangles.reshape(-1, 3)
    if np.linalg.det(T_world_obj[:3, :3]) < 0:
        triangles = triangles[:, ::-1]
    colors = palette[np.clip(slots, 0, len(palette) - 1)].astype(np.uint8)
    obj.to_mesh_clear()
    return vertices, triangles, colors


def merge_planes(mesh):
    """Join the faces of one plane and one material: fewer faces without any loss."""
    work = bmesh.new()
    work.from_mesh(mesh)
    bmesh.ops.dissolve_limit(
        work, angle_limit=FLAT, verts=work.verts, edges=work.edges, delimit={"MATERIAL"}
    )
    work.to_mesh(mesh)
    work.free()


def color(material):
    """(3,) sRGB 0-255: the mean of the colours that flow into a material's base colour."""
    if material is None or not material.use_nodes:
        return encode(GREY)
    found = []
    for node in material.node_tree.nodes:
        socket = node.inputs.get("Base Color") or (
            node.inputs.get("Color") if node.type.startswith("BSDF") else None
        )
        if socket is not None:
            found += flowing_in(socket, DEPTH)
    return encode(np.mean(found, axis=0) if found else GREY)


def flowing_in(socket, depth):
    """Linear colours that feed a socket, as far as they are written down in the nodes."""
    if not socket.is_linked:
        return [tuple(socket.default_value)[:3]] if socket.type == "RGBA" else []
    found = []
    for link in socket.links:
        node = link.from_node
        if node.type == "VALTORGB":
            found += [tuple(element.color)[:3] for element in node.color_ramp.elements]
        elif node.type == "RGB":
            found.append(tuple(node.outputs[0].default_value)[:3])
        elif node.type == "COMBINE_COLOR":
            found.append(tuple(number(source) for source in node.inputs))
        elif depth:
            for source in node.inputs:
                if source.type == "RGBA":
                    found += flowing_in(source, depth - 1)
    return found


def number(socket):
    """The number a socket gets from a value node or has itself."""
    if socket.is_linked and socket.links[0].from_node.type == "VALUE":
        return socket.links[0].from_node.outputs[0].default_value
    return socket.default_value


def encode(linear):
    """sRGB 0-255 of linear 0-1."""
    linear = np.clip(linear, 0, 1)
    curve = np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255 * curve)


def write(path, vertices, triangles, colors):
    """Write the arrays so that a file of this name is always whole."""
    with open(path + ".part", "wb") as file:
        np.savez_compressed(file, vertices=np.float32(vertices), triangles=triangles, colors=colors)
    os.replace(path + ".part", path)


if __name__ == "__main__":
    main()
