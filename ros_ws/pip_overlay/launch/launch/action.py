"""One step of a launch file."""


class Action:
    """Base of all actions; `execute` may return further entities to visit."""

    def __init__(self, *, condition=None):
        self.condition = condition

    def visit(self, context):
        if self.condition is None or self.condition.evaluate(context):
            return self.execute(context)
        return None

    def execute(self, context):
        return None

    def get_sub_entities(self):
        """Entities written inside this one, whether or not they will run."""
        return []
