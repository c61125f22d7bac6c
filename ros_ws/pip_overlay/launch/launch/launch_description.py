"""The entities of one launch file."""


class LaunchDescription:
    """What `generate_launch_description` returns."""

    def __init__(self, initial_entities=None):
        self.entities = list(initial_entities or [])

    def add_action(self, action):
        self.entities.append(action)

    def add_entity(self, entity):
        self.entities.append(entity)

    def visit(self, context):
        return self.entities

    def get_sub_entities(self):
        return self.entities

    def get_launch_arguments(self):
        """All DeclareLaunchArgument, of groups and included files too; the first of each name."""
        from launch.actions import DeclareLaunchArgument

        found = {}
        for entity in flatten(self):
            if isinstance(entity, DeclareLaunchArgument):
                found.setdefault(entity.name, entity)
        return list(found.values())


def flatten(entity):
    """The entity and everything written inside it."""
    yield entity
    for sub in entity.get_sub_entities():
        yield from flatten(sub)
