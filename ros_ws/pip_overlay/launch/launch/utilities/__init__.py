"""Helpers that launch files with functions of their own use."""

from launch.substitution import text


def perform_substitutions(context, subs):
    """Joined text of a list of substitutions."""
    return text(context, subs)
