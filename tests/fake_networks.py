"""ONNX files that tests put where trained networks would be, and their entries in a manifest."""

import hashlib
import json

import numpy as np

from roomcad_core.segment.instances import model_files
from roomcad_core.segment.instances.channels import CHANNELS
from roomcad_core.segment.instances.model_files import KINDS

SIZES = {"objects": 5, "cad_points": 50, "width": 80, "height": 60}  # of idle aligners


def enter(folder, name, onnx_name, graph, **entry):
    """Save an ONNX model as folder/onnx_name; returns {"onnx", "sha256"} of it.

    With `entry` it is entered in the manifest as `name`, too.
    """
    import onnx

    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph, folder / onnx_name)
    digest = hashlib.sha256((folder / onnx_name).read_bytes()).hexdigest()
    file = {"onnx": onnx_name, "sha256": digest}
    if entry:
        write_entry(folder, name, {**file, **entry})
    return file


def write_entry(folder, name, entry):
    """Enter a model in folder/manifest.json."""
    path = folder / "manifest.json"
    models = json.loads(path.read_text())["models"] if path.exists() else {}
    path.write_text(json.dumps({"version": 1, "models": models | {name: entry}}))


def write_geometry(folder, depth, normals, focal=0.9, sigma=0.05, kappa=20.0):
    """Networks `depth` and `normals` that answer with the same maps for every picture.

    Args:
        depth: (h, w) [m], normals: (h, w, 3), both half as wide and high as the pictures.
        focal: fx / width of the camera that the depth is for.
        sigma, kappa: numbers or (h, w), how sure they say they are.
    """
    h, w = depth.shape
    unsure = [np.broadcast_to(np.float32(x), (1, h, w)) for x in (sigma, kappa)]
    answers = {
        "depth": {"depth": depth[None], "sigma": unsure[0]},
        "normals": {"normal": normals.transpose(2, 0, 1)[None], "kappa": unsure[1]},
    }
    size = {"width": 2 * w, "height": 2 * h, "focal": focal}
    for task, maps in answers.items():
        graph = constant_graph({"rgb": (1, 3, 2 * h, 2 * w)}, maps)
        enter(folder, task, f"rgb_{task}.onnx", graph, task=task, **size)


def write_finder(folder, mask, label="cabinet", name="instances"):
    """An instance network that sees one thing in every frame: where the `mask` (h, w) of its cells
    is, and of the class `label` for certain."""
    h, w = mask.shape
    answers = {n: np.zeros((*shape, h, w)) for n, shape in model_files.outputs(KINDS).items()}
    for output in ("foreground", "seed"):
        answers[output][:] = mask
    answers["kinds"][0, KINDS.index(label)] = 20.0  # a logit
    answers["spread"][:] = 10.0  # [m]: all that is in view votes for one centre
    graph = constant_graph({model_files.INPUT: (1, len(CHANNELS), h, w)}, answers)
    about = {"task": model_files.TASK, "width": w, "height": h, "kinds": list(KINDS)}
    enter(folder, name, f"{name}.onnx", graph, **about)


def constant_graph(inputs, answers):
    """ONNX model that gives {name: array} whatever its float32 inputs {name: shape} hold."""
    from onnx import TensorProto, helper, numpy_helper

    def declared(shapes):
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in shapes.items()
        ]

    nodes = [
        helper.make_node(
            "Constant", [], [name], value=numpy_helper.from_array(np.asarray(a, np.float32))
        )
        for name, a in answers.items()
    ]
    shapes = {name: np.shape(a) for name, a in answers.items()}
    graph = helper.make_graph(nodes, "constant", declared(inputs), declared(shapes))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def write_idle_aligner(folder, name="live", mode="rgbd", **changed):
    """An aligner that leaves all poses as they are; its logit is z of T."""
    file = enter(folder, name, f"align_{name}_n3.onnx", idle_graph(**SIZES))
    entry = {"task": "align", "updates": {"3": file}, **SIZES, "mode": mode, "temperature": 1.5}
    write_entry(folder, name, entry | changed)


def idle_graph(objects, cad_points, width, height):
    """ONNX model with the inputs and outputs of the exported loop; logit = z of T."""
    from onnx import TensorProto, helper, numpy_helper

    kinds = {"f": TensorProto.FLOAT, "i": TensorProto.INT32, "b": TensorProto.BOOL}
    poses = {"T": (3,), "R": (3, 3), "S": (3,)}
    inputs = {
        "rgb": ("f", 3, height, width),
        "normal": ("f", 3, height, width),
        "depth": ("f", 1, height, width),
        "instance": ("i", height, width),
        "K": ("f", 3, 3),
        "valid": ("b", objects),
        "box": ("f", objects, 4),
        "cad_points": ("f", objects, cad_points, 3),
        "cad_normals": ("f", objects, cad_points, 3),
        **{name: ("f", "initialisations", objects, *size) for name, size in poses.items()},
    }
    outputs = {f"{name}_out": inputs[name] for name in poses}
    outputs["logit"] = ("f", "initialisations", objects)

    def declared(tensors):
        infos = ((name, kinds[kind], size) for name, (kind, *size) in tensors.items())
        return [helper.make_tensor_value_info(*info) for info in infos]

    nodes = [helper.make_node("Identity", [name], [f"{name}_out"]) for name in poses]
    nodes.append(helper.make_node("Gather", ["T", "two"], ["logit"], axis=2))
    two = numpy_helper.from_array(np.array(2, np.int64), "two")
    graph = helper.make_graph(nodes, "idle", declared(inputs), declared(outputs), [two])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
