"""Where tensors lie in a block of memory: behind each other, so that one copy takes them all."""

import ctypes

import numpy as np

ALIGNMENT = 256  # bytes; what the GPU's own allocations have


def offsets(tensors):
    """{name: offset} of {name: (dtype, shape)} behind each other, and the size of all [bytes]."""
    places, end = {}, 0
    for name, (dtype, shape) in tensors.items():
        places[name] = end
        end += -(-_bytes(dtype, shape) // ALIGNMENT) * ALIGNMENT
    return places, end


def views(address, tensors):
    """{name: array} over memory of this computer, and the size of all [bytes].

    Args:
        address: where the memory begins; it has to outlive the arrays.
        tensors: {name: (dtype, shape)}.
    """
    places, size = offsets(tensors)
    memory = np.ctypeslib.as_array((ctypes.c_uint8 * max(size, 1)).from_address(address))
    arrays = {}
    for name, (dtype, shape) in tensors.items():
        end = places[name] + _bytes(dtype, shape)
        arrays[name] = memory[places[name] : end].view(dtype).reshape(shape)
    return arrays, size


class Writer:
    """Copies arrays, and tells whether that has changed anything."""

    def __init__(self):
        self._memcmp = ctypes.CDLL(None).memcmp  # stops at the first byte that differs
        self._memcmp.argtypes = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t

    def write(self, target, array):
        """Copy an array to one of the same dtype and shape; False if they were equal bit by bit."""
        array = np.ascontiguousarray(array)
        if not self._memcmp(target.ctypes.data, array.ctypes.data, array.nbytes):
            return False
        target[...] = array
        return True


def _bytes(dtype, shape):
    return int(np.prod(shape)) * dtype.itemsize
