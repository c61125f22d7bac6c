"""Graphs in less than float32: which nodes, and what ONNX Runtime computes with them."""

import numpy as np
import pytest

from roomcad_core.engine import make_engine
from roomcad_core.engine.tensor_rt.precision import bfloat16_bits, low_precision
from roomcad_core.library import models_folder

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

F16, BF16, F32 = TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.FLOAT


def graph(nodes, weight=0.1, outputs=("y",)):
    """y = f(x (n, 4)) with a constant w (4, 4)."""
    tensors = [helper.make_tensor_value_info(n, F32, ["n", 4]) for n in ("x", *outputs)]
    w = numpy_helper.from_array(np.full((4, 4), weight, np.float32), "w")
    made = helper.make_graph(nodes, "g", tensors[:1], tensors[1:], [w])
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(made, opset_imports=opset, ir_version=8).SerializeToString()


def node(kind, inputs, output, name):
    return helper.make_node(kind, inputs.split(), [output], name=name)


MIXED = graph(
    [
        node("MatMul", "x w", "a", "exact/a"),
        node("MatMul", "a w", "b", "rough/b"),
        node("Neg", "b", "c", "rough/c"),
        node("Add", "c a", "d", "rough/d"),
        node("Add", "d c", "y", "exact/y"),
    ]
)


def kinds(data):
    """{node name: type of its first output} and all names of Casts."""
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(data))
    values = (*model.graph.value_info, *model.graph.output)
    types = {v.name: v.type.tensor_type.elem_type for v in values}
    nodes = model.graph.node
    return (
        {n.name: types[n.output[0]] for n in nodes if n.op_type != "Cast"},
        [n.output[0] for n in nodes if n.op_type == "Cast"],
    )


@pytest.mark.parametrize(("precision", "low"), [("f16", F16), ("bf16", BF16)])
def test_only_rough_nodes_change_and_casts_lie_where_data_enters_or_leaves_them(precision, low):
    types, casts = kinds(low_precision(MIXED, precision))
    want = {"exact/a": F32, "rough/b": low, "rough/c": low, "rough/d": low, "exact/y": F32}
    assert types == want
    # a goes in once for both its users; w is stored in both types; c and d come out.
    assert casts == ["a/low", "c", "d"]


def test_without_rough_names_all_nodes_change_and_inputs_and_outputs_stay():
    data = graph([node("MatMul", "x w", "a", ""), node("Neg", "a", "y", "")])
    low = onnx.load_from_string(low_precision(data, "f16"))
    assert [n.op_type for n in low.graph.node] == ["Cast", "MatMul", "Neg", "Cast"]
    ends = (*low.graph.input, *low.graph.output)
    assert {v.type.tensor_type.elem_type for v in ends} == {F32}
    assert [w.data_type for w in low.graph.initializer] == [F16]  # nobody needs the float32 one


def test_float32_is_the_file_itself():
    assert low_precision(MIXED, "f32") is MIXED


def test_an_output_that_other_rough_nodes_use_is_given_in_float32():
    nodes = [node("MatMul", "x w", "y", "rough/y"), node("Neg", "y", "z", "rough/z")]
    low = low_precision(graph(nodes, outputs=("y", "z")), "f16")
    types, casts = kinds(low)
    assert types == {"rough/y": F16, "rough/z": F16} and casts == ["x/low", "y", "z"]


def test_bfloat16_weights_are_rounded_to_the_nearest_ties_to_even():
    values = np.array([1.0, 1 + 2**-8, 1 + 3 * 2**-8, -3.1415927, 0.0, 1e38], np.float32)
    back = (bfloat16_bits(values).astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_array_equal(back[:3], [1.0, 1.0, 1 + 2**-6])
    np.testing.assert_allclose(back, values, rtol=2**-8)


def test_what_cannot_be_changed_is_named():
    with pytest.raises(ValueError, match="net.onnx: constant 'w': got 1e.05, expected at most 655"):
        low_precision(graph([node("MatMul", "x w", "y", "")], weight=1e5), "f16", "net.onnx")
    for garbage in (b"not a model" * 9, b""):
        with pytest.raises(ValueError, match="net.onnx: cannot be changed to bf16"):
            low_precision(garbage, "bf16", "net.onnx")


@pytest.mark.parametrize("name", ["baseline", "deployed", "rot32", "rot32_bg"])
def test_a_shipped_classifier_in_float16_answers_as_in_float32(name, tmp_path):
    # Stated tolerance: 0.02 of logits that reach 4 and more. ONNX Runtime rounds every result of
    # a node to float16, which is what the GPU does or worse.
    path = models_folder() / f"pointnet_{name}.onnx"
    low = tmp_path / "low.onnx"
    low.write_bytes(low_precision(path.read_bytes(), "f16", path))
    exact, rough = make_engine(path, "onnxruntime", 1), make_engine(low, "onnxruntime", 1)
    assert exact.inputs == rough.inputs and exact.outputs == rough.outputs
    rng = np.random.default_rng(0)
    feeds = {"points": rng.uniform(-0.6, 0.6, (8, 256, 3)).astype(np.float32)}
    if "extra" in exact.inputs:
        feeds["extra"] = rng.uniform(-1, 1, (8, 4)).astype(np.float32)
    a, b = exact(feeds)["logits"], rough(feeds)["logits"]
    assert 1e-5 < np.abs(a - b).max() < 0.02
