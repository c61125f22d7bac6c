"""Whether an action runs."""


class Condition:
    """`Condition(predicate=f)`: runs the action where f(context) is true."""

    def __init__(self, *, predicate=None):
        self._predicate = predicate

    def evaluate(self, context):
        return self._predicate(context) if self._predicate else True
