"""The `ros2` command: launch FILE, run PACKAGE PROGRAM, topic list | echo | hz."""

import argparse
import os
import signal
import sys
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory


def main(argv=None):
    """Run one command; returns its exit code."""
    args = parser().parse_args(argv)
    try:
        return args.run(args)
    except (FileNotFoundError, PackageNotFoundError, ValueError) as error:
        print(f"ros2: {error}", file=sys.stderr)
        return 1


def parser():
    """Parser of all commands."""
    top = argparse.ArgumentParser(prog="ros2", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    launch = commands.add_parser("launch", help="run a launch file")
    launch.add_argument("-s", "--show-args", action="store_true", help="list its arguments")
    launch.add_argument("-d", "--debug", action="store_true", help="show where it failed")
    launch.add_argument("file", help="launch file, or package and then launch file")
    launch.add_argument("args", nargs="*", metavar="NAME:=VALUE")
    launch.set_defaults(run=run_launch)
    run = commands.add_parser("run", help="run a program of a package")
    run.add_argument("package")
    run.add_argument("program")
    run.add_argument("args", nargs=argparse.REMAINDER)
    run.set_defaults(run=run_program)
    add_topic_commands(commands.add_parser("topic", help="look at topics"))
    return top


def add_topic_commands(topic):
    """The three commands about topics."""
    verbs = topic.add_subparsers(required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="names of all topics")
    listing.add_argument("-t", "--show-types", action="store_true")
    echo = verbs.add_parser("echo", help="print the messages of a topic")
    echo.add_argument("--once", action="store_true", help="end after the first")
    rate = verbs.add_parser("hz", help="messages per second of a topic")
    for verb, name in ((listing, "show_list"), (echo, "show_messages"), (rate, "show_rate")):
        if verb is not listing:
            verb.add_argument("topic")
        verb.set_defaults(run=run_topic, verb=name)


def run_launch(args):
    """Run, or describe, a launch file."""
    from launch import LaunchDescription, LaunchService
    from launch.actions import IncludeLaunchDescription
    from launch.launch_description_source import load
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    path, words = launch_file(args.file, args.args)
    declared = load(path).get_launch_arguments()
    if args.show_args:
        end_quietly_with_the_reader()
        print(describe(declared))
        return 0
    pairs = [split_argument(word) for word in words]
    for name in sorted({name for name, _ in pairs} - {a.name for a in declared}):
        print(f"[WARNING] [launch]: {path.name} declares no argument '{name}'", file=sys.stderr)
    service = LaunchService(argv=words, debug=args.debug)
    source = PythonLaunchDescriptionSource(str(path))
    include = IncludeLaunchDescription(source, launch_arguments=pairs)
    service.include_launch_description(LaunchDescription([include]))
    return service.run()


def end_quietly_with_the_reader():
    """`ros2 ... | head` ends without a word when head does."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def launch_file(first, words):
    """(path, arguments) of `FILE args...` or `PACKAGE FILE args...`."""
    if Path(first).is_file():
        return Path(first).resolve(), words
    if not words or ":=" in words[0]:
        raise FileNotFoundError(f"launch file {first} does not exist")
    share = Path(get_package_share_directory(first))
    found = sorted(share.rglob(words[0]))
    if not found:
        raise FileNotFoundError(f"no launch file {words[0]} in {share}")
    return found[0], words[1:]


def split_argument(word):
    """(name, value) of NAME:=VALUE."""
    name, separator, value = word.partition(":=")
    if not separator or not name:
        raise ValueError(f"launch argument: got {word!r}, expected NAME:=VALUE")
    return name, value


def describe(declared):
    """Text about launch arguments."""
    lines = ["Arguments (pass arguments as '<name>:=<value>'):", ""]
    for argument in declared:
        choices = f" Valid choices are: {argument.choices}" if argument.choices else ""
        lines += [f"    '{argument.name}':", f"        {argument.description}{choices}"]
        if argument.default_value is not None:
            lines.append(f"        (default: {show_default(argument.default_value)})")
        lines.append("")
    return "\n".join(lines)


def show_default(value):
    """Default as text; a substitution shows as its kind."""
    if isinstance(value, (str, os.PathLike)):
        return repr(os.fspath(value))
    if isinstance(value, (list, tuple)):
        return " + ".join(show_default(part) for part in value)
    return type(value).__name__


def run_program(args):
    """Become the program of a package."""
    from launch_ros.packages import find_executable

    path = find_executable(args.package, args.program)
    os.execv(path, [path, *args.args])


def run_topic(args):
    """Look at topics until done or interrupted."""
    import rclpy
    from rclpy.executors import ExternalShutdownException

    from ros2cli import topics

    end_quietly_with_the_reader()
    rclpy.init()
    try:
        node = rclpy.create_node(f"ros2cli_{os.getpid()}")
        return getattr(topics, args.verb)(node, args)
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0
    finally:
        rclpy.try_shutdown()
