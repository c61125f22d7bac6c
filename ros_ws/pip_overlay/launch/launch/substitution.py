"""Text that is known only when the launch file runs."""

import os
from collections.abc import Iterable


class Substitution:
    """Base of all substitutions; `perform(context)` gives the text."""

    def perform(self, context):
        raise NotImplementedError


def text(context, value):
    """Text of a string, a path, a substitution, or a sequence of them joined together."""
    if isinstance(value, Substitution):
        return value.perform(context)
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value)
    if isinstance(value, Iterable):
        return "".join(text(context, part) for part in value)
    raise TypeError(f"got {value!r}, expected text, a substitution or a list of them")


def boolean(context, value):
    """Truth of a bool, or of the text true / false / 1 / 0 (any case)."""
    if isinstance(value, bool):
        return value
    word = text(context, value).strip().lower()
    if word not in ("true", "false", "1", "0"):
        raise ValueError(f"got {word!r}, expected true, false, 1 or 0")
    return word in ("true", "1")
