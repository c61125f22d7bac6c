"""Binary masks as COCO's run lengths: {"size": [height, width], "counts": text or numbers}.

Runs go down the columns, beginning with zeros. In the text form each count from the fourth on is
the difference to the one two before it; numbers are cut into groups of 5 bits, lowest first, each
written as one character: bit 6 set = more follow, offset 48.
"""

import numpy as np

OFFSET = 48
MORE, SIGN = 0x20, 0x10


def encode_mask(mask):
    """The run-length record of a (H, W) bool mask."""
    return {"size": list(mask.shape), "counts": "".join(_text(_differences(run_lengths(mask))))}


def run_lengths(mask):
    """Lengths of the runs of a (H, W) mask, column by column; the first is of zeros."""
    flat = np.asarray(mask, bool).ravel(order="F")
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat]).astype(np.int8)))
    return np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()


def decode_mask(record):
    """(H, W) bool mask of a run-length record in either form.

    Raises:
        ValueError: the record is none, or its runs do not fill the image.
    """
    try:
        height, width = (int(n) for n in record["size"])
        counts = record["counts"]
        runs = _sums(_numbers(counts)) if isinstance(counts, str) else [int(n) for n in counts]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ValueError(f"run-length mask: expected size and counts: {error!r}") from None
    if min(runs, default=0) < 0 or sum(runs) != height * width:
        raise ValueError(f"run-length mask: runs of {sum(runs)} px in an image {height}x{width}")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(height, width, order="F")


def _differences(runs):
    return [n - runs[i - 2] if i > 2 else n for i, n in enumerate(runs)]


def _sums(values):
    runs = []
    for i, n in enumerate(values):
        runs.append(n + runs[i - 2] if i > 2 else n)
    return runs


def _text(values):
    """Characters of whole numbers."""
    for n in values:
        while True:
            low, n = n & 0x1F, n >> 5
            done = n == (-1 if low & SIGN else 0)
            yield chr(OFFSET + (low if done else low | MORE))
            if done:
                break


def _numbers(text):
    """Whole numbers of such characters."""
    out, n, shift = [], 0, 0
    for character in text:
        group = ord(character) - OFFSET
        if not 0 <= group < 64:
            raise ValueError(f"character {character!r}")
        n |= (group & 0x1F) << shift
        shift += 5
        if not group & MORE:
            out.append(n - (1 << shift) if group & SIGN else n)
            n, shift = 0, 0
    if shift:
        raise ValueError("the text ends within a number")
    return out
