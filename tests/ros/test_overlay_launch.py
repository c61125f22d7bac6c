"""`ros2 launch` on small launch files: arguments, conditions, nodes, respawn, the end of all."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import yaml

pytestmark = pytest.mark.skipif(
    shutil.which("ros2") is None, reason="no ros2 command: run the tests through scripts/run.sh"
)

# A program that stands in for a node: prints its arguments and parameters.
TALKER = """#!{python}
import json, pathlib, sys
files = [b for a, b in zip(sys.argv, sys.argv[1:]) if a == "--params-file"]
params = [pathlib.Path(f).read_text() for f in files]
print("TALKER " + json.dumps([sys.argv[1:], params]), flush=True)
"""

HEAD = """
import sys
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument, EmitEvent, ExecuteProcess, GroupAction, IncludeLaunchDescription,
    OpaqueFunction, RegisterEventHandler,
)
from launch.conditions import IfCondition, UnlessCondition
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, ThisLaunchFileDir
from launch_ros.actions import Node, PushRosNamespace
from launch_ros.parameter_descriptions import ParameterValue

def say(words, **more):
    code = "import sys; print('SAID', *sys.argv[1:])"
    return ExecuteProcess(cmd=[sys.executable, "-c", code, *words], output="screen", **more)

def generate_launch_description():
"""


@pytest.fixture
def ros2(tmp_path):
    """ros2(body, *arguments): finished run of a launch file that returns the list `body`."""
    program = tmp_path / "prefix/lib/toy/talker"
    program.parent.mkdir(parents=True)
    program.write_text(TALKER.format(python=sys.executable))
    program.chmod(0o755)
    index = tmp_path / "prefix/share/ament_index/resource_index/packages/toy"
    index.parent.mkdir(parents=True)
    index.touch()
    prefixes = os.pathsep.join([str(tmp_path / "prefix"), os.environ["AMENT_PREFIX_PATH"]])
    env = {**os.environ, "AMENT_PREFIX_PATH": prefixes, "ROS_LOG_DIR": str(tmp_path / "log")}
    env["PYTHONUNBUFFERED"] = "1"

    def start(body, *arguments):
        path = tmp_path / "toy.launch.py"
        path.write_text(f"{HEAD}    return LaunchDescription([{body}])\n")
        command = ["ros2", "launch", str(path), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=env)

    def run(body, *arguments):
        process = start(body, *arguments)
        out, error = process.communicate(timeout=30)
        return process.returncode, out, error

    run.start = start
    return run


def said(output):
    return sorted(x.split("SAID ")[1].strip() for x in output.splitlines() if "SAID " in x)


def talkers(output):
    """(arguments, parameters) of each talker that ran."""
    lines = [x.split("TALKER ")[1] for x in output.splitlines() if "TALKER " in x]
    out = []
    for arguments, files in map(json.loads, lines):
        nodes = [n["ros__parameters"] for f in files for n in yaml.safe_load(f).values()]
        out.append((arguments, {k: v for values in nodes for k, v in values.items()}))
    return out


ARGUMENTS = """
    DeclareLaunchArgument("name", default_value="chair", choices=["chair", "sofa"]),
    DeclareLaunchArgument("loud", default_value="false", description="shout"),
    say([LaunchConfiguration("name")]),
    say(["loud"], condition=IfCondition(LaunchConfiguration("loud"))),
    say(["quiet"], condition=UnlessCondition(LaunchConfiguration("loud"))),
"""


def test_defaults_and_conditions(ros2):
    code, out, _ = ros2(ARGUMENTS)
    assert (code, said(out)) == (0, ["chair", "quiet"])


def test_given_arguments_win(ros2):
    code, out, _ = ros2(ARGUMENTS, "name:=sofa", "loud:=true")
    assert (code, said(out)) == (0, ["loud", "sofa"])


def test_a_value_that_is_no_choice_is_refused_by_name(ros2):
    code, out, error = ros2(ARGUMENTS, "name:=lamp")
    assert code != 0
    assert said(out) == []
    assert "name" in error and "lamp" in error and "sofa" in error


def test_show_args_names_arguments_defaults_and_descriptions_and_starts_nothing(ros2):
    code, out, _ = ros2(ARGUMENTS, "--show-args")
    assert (code, said(out)) == (0, [])
    assert all(word in out for word in ("name", "'chair'", "'sofa'", "loud", "shout"))


def test_groups_keep_their_settings_and_included_files_get_their_arguments(ros2, tmp_path):
    inner = "DeclareLaunchArgument('who'), say([LaunchConfiguration('who'), '!'])"
    text = f"{HEAD}    return LaunchDescription([{inner}])\n"
    (tmp_path / "inner.launch.py").write_text(text)
    code, out, _ = ros2("""
        GroupAction([
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(
                    PathJoinSubstitution([ThisLaunchFileDir(), "inner.launch.py"])
                ),
                launch_arguments={"who": "world"}.items(),
            ),
        ]),
        say([LaunchConfiguration("who", default="nobody")]),
        OpaqueFunction(function=lambda context: [say(["made"])]),
    """)
    assert (code, said(out)) == (0, ["made", "nobody", "world !"])


def test_a_node_gets_its_name_namespace_remappings_and_parameters(ros2, tmp_path):
    (tmp_path / "params.yaml").write_text("/**: {ros__parameters: {rate: 5, file: yes it is}}")
    code, out, _ = ros2(
        """
        DeclareLaunchArgument("sim", default_value="true"),
        DeclareLaunchArgument("number", default_value="7"),
        PushRosNamespace("robot"),
        Node(
            package="toy", executable="talker", name="alice", namespace="left", output="screen",
            parameters=[
                PathJoinSubstitution([ThisLaunchFileDir(), "params.yaml"]),
                {
                    "use_sim_time": LaunchConfiguration("sim"),
                    "number": LaunchConfiguration("number"),
                    "text": ParameterValue(LaunchConfiguration("number"), value_type=str),
                    "plain": "12", "rate": 6, "list": [1.5, 2.5],
                },
            ],
            remappings=[("image", "/camera/image")],
            arguments=["--flag", LaunchConfiguration("number")],
        ),
        """
    )
    assert code == 0
    ((arguments, parameters),) = talkers(out)
    assert arguments[:3] == ["--flag", "7", "--ros-args"]
    pairs = list(zip(arguments, arguments[1:], strict=False))
    for rule in ("__node:=alice", "__ns:=/robot/left", "image:=/camera/image"):
        assert ("-r", rule) in pairs
    assert parameters == {
        "use_sim_time": True,
        "number": 7,
        "text": "7",
        "plain": "12",
        "rate": 6,
        "list": [1.5, 2.5],
        "file": "yes it is",
    }


@pytest.mark.parametrize("package, program", [("toy", "walker"), ("nowhere", "talker")])
def test_a_node_that_does_not_exist_ends_the_launch_with_an_error(ros2, package, program):
    nodes = f'say(["first"]), Node(package="{package}", executable="{program}")'
    code, _, error = ros2(nodes)
    assert code != 0
    assert (program if package == "toy" else package) in error


def test_a_program_that_ends_is_started_again_until_the_launch_ends(ros2):
    process = ros2.start('say(["again"], respawn=True, respawn_delay=0.1)')
    lines = []
    while sum("SAID again" in line for line in lines) < 3:
        lines.append(process.stdout.readline())
        assert lines[-1], process.stderr.read()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
print("PIDS", os.getpid(), child.pid, flush=True)
time.sleep(100)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_outlives_the_launch_not_even_who_ignores_sigint(ros2, number):
    pids = stop_after_start(ros2, number)
    assert not any(map(is_alive, pids))


def test_even_a_killed_launch_takes_its_programs_along(ros2):
    if shutil.which("setpriv") is None or "pip_overlay" not in launch_origin():
        pytest.skip("the official launch makes no such promise")
    parent, child = stop_after_start(ros2, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)  # only programs the launch started itself are promised
    until = time.monotonic() + 10
    while is_alive(parent) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_alive(parent)


def stop_after_start(ros2, number):
    """Start the stubborn program, signal the launch; pids of the program and its child."""
    process = ros2.start(
        f"ExecuteProcess(cmd=[sys.executable, '-c', {STUBBORN!r}], output='screen')"
    )
    line = ""
    while "PIDS" not in line:
        line = process.stdout.readline()
        assert line, process.stderr.read()
    process.send_signal(number)
    process.communicate(timeout=30)
    return [int(word) for word in line.split()[-2:]]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def launch_origin():
    import launch

    return launch.__file__


def test_a_program_that_fails_fails_the_launch(ros2):
    if "pip_overlay" not in launch_origin():
        pytest.skip("the official launch ends with 0 here")
    code, out, _ = ros2("ExecuteProcess(cmd=[sys.executable, '-c', 'import sys; sys.exit(3)'])")
    assert code == 1
    assert "exit code 3" in out


def test_the_end_of_one_program_can_end_all(ros2):
    code, out, _ = ros2("""
        (first := say(["done"])),
        ExecuteProcess(cmd=[sys.executable, "-c", "import time; time.sleep(100)"]),
        RegisterEventHandler(
            OnProcessExit(target_action=first, on_exit=[EmitEvent(event=Shutdown())])
        ),
    """)
    assert (code, said(out)) == (0, ["done"])
