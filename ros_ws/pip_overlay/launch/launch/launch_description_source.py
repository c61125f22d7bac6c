"""Where a launch description comes from: a Python file."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

from launch.substitution import text


class LaunchDescriptionSource:
    """A Python launch file; `location` is a path, a substitution or a list to be joined."""

    def __init__(self, location):
        self.location = location

    def get_path(self, context):
        return Path(text(context, self.location)).resolve()

    def get_launch_description(self, context):
        return load(self.get_path(context))


def load(path):
    """Run a launch file's generate_launch_description()."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"launch file {path} does not exist")
    loader = SourceFileLoader("python_launch_file", str(path))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    if not hasattr(module, "generate_launch_description"):
        raise ValueError(f"launch file {path} has no function generate_launch_description()")
    return module.generate_launch_description()
