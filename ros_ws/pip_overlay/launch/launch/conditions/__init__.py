"""Conditions of actions: `condition=IfCondition(LaunchConfiguration("rviz"))`."""

from launch.condition import Condition
from launch.substitution import boolean


class IfCondition(Condition):
    """True where the expression reads true or 1."""

    def __init__(self, predicate_expression):
        super().__init__(predicate=lambda context: boolean(context, predicate_expression))


class UnlessCondition(Condition):
    """True where the expression reads false or 0."""

    def __init__(self, predicate_expression):
        super().__init__(predicate=lambda context: not boolean(context, predicate_expression))


__all__ = ["IfCondition", "UnlessCondition"]
