"""The names of free axes in an ONNX file, which OpenVINO does not keep.

Reads just the tensor descriptions out of the file's protocol buffer messages, so that a robot
does not need the onnx package.
"""

GRAPH = 7  # field of ModelProto
INPUT, OUTPUT = 11, 12  # of GraphProto
NAME, TYPE = 1, 2  # of ValueInfoProto
TENSOR = 1  # of TypeProto
SHAPE = 2  # of TypeProto.Tensor
DIM = 1  # of TensorShapeProto
SIZE, SYMBOL = 1, 2  # of TensorShapeProto.Dimension
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # kinds of fields


def read_axes(path):
    """{tensor name: tuple of sizes (int), names (str) and None} of all inputs and outputs.

    Raises:
        ValueError: the file is no ONNX model.
    """
    try:
        with open(path, "rb") as file:
            data = memoryview(file.read())
        graphs = [graph for number, graph in fields(data) if number == GRAPH]
        tensors = [t for graph in graphs for n, t in fields(graph) if n in (INPUT, OUTPUT)]
        return dict(_axes(tensor) for tensor in tensors)
    except (IndexError, KeyError, TypeError, UnicodeDecodeError):
        raise ValueError(f"{path}: not an ONNX model, or only a part of one") from None


def fields(message):
    """(number, value) of every field: an int, or a memoryview of a text, message or number."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, at = _varint(message, at)
        else:
            fixed = {FIXED64: 8, FIXED32: 4}
            size, at = _varint(message, at) if kind == BYTES else (fixed[kind], at)
            value, at = message[at : at + size], at + size
            if len(value) < size:
                raise IndexError("it ends too early")
        yield number, value


def _varint(message, at):
    """A number of variable length, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _axes(tensor):
    """Name and axes of a ValueInfoProto."""
    parts = dict(fields(tensor))
    shape = dict(fields(dict(fields(parts[TYPE]))[TENSOR])).get(SHAPE, b"")
    axes = [dict(fields(axis)) for number, axis in fields(shape) if number == DIM]
    return _text(parts[NAME]), tuple(
        _text(axis[SYMBOL]) if SYMBOL in axis else axis.get(SIZE) for axis in axes
    )


def _text(field):
    return bytes(field).decode()
