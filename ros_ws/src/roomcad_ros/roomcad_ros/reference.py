"""Writes the tables of docs/ros.md: topics, services, parameters, frames, as the nodes have them.

Example: python -m roomcad_ros.reference docs/ros.md
A table stands between the lines `<!-- NAME -->` and `<!-- end -->`; the text around stays.
"""

import argparse
import dataclasses
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import rclpy
from rclpy.parameter import Parameter
from rclpy.qos import QoSDurabilityPolicy, QoSReliabilityPolicy

from roomcad_core.config import TrackConfig
from roomcad_core.library import Library
from roomcad_core.tracks import Follower
from roomcad_ros.align_node import AlignNode
from roomcad_ros.classify_node import ClassifyNode
from roomcad_ros.pipeline_node import PipelineNode
from roomcad_ros.reference_text import FRAMES, SERVICES, TOPICS
from roomcad_ros.segment_node import SegmentNode
from roomcad_ros.settings import PREFIXES

# What a node may be set to that opens other topics.
VARIANTS = (
    {},
    {"input": "cloud"},
    {"input": "rgb"},
    {"color_transport": "compressed", "depth_transport": "compressedDepth"},
    {"depth_transport": "compressed", "track_frames": "track_"},
)
# Every node of ROS has these.
OF_ROS = ("/rosout", "/parameter_events", "transition_event", "/clock")
PARAMETER_SERVICES = re.compile("parameter|type_description|logger_level")


def nodes(library, **parameters):
    """The four nodes, active with stand-in stages."""
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    pipeline = SimpleNamespace(follower=Follower(None, library, TrackConfig()))
    options = {"parameter_overrides": overrides, "enable_rosout": False}
    made = (
        SegmentNode(SimpleNamespace(), **options),
        ClassifyNode(SimpleNamespace(), **options),
        AlignNode(SimpleNamespace(), library, **options),
        PipelineNode(pipeline, **options),
    )
    return [node.start() for node in made]


def tables():
    """{name: Markdown table} of everything; needs rclpy.init."""
    library, topics, services, parameters = Library.load(), {}, {}, {}
    for variant in VARIANTS:
        for node in nodes(library, **variant):
            _add_topics(topics, node)
            _add_services(services, node)
            _add_parameters(parameters, node)
            node.destroy_node()
    return {
        "topics": topic_table(topics),
        "services": service_table(services),
        "parameters": parameter_table(parameters),
        "frames": table(("frame", "what"), [(name, text) for name, text in FRAMES.items()]),
    }


def _add_topics(topics, node):
    for way, ends in (("in", node.subscriptions), ("out", node.publishers)):
        for end in ends:
            name = end.topic_name
            if not name.endswith((*OF_ROS, "/detections")):  # not installed everywhere
                name = name if name.startswith(("/tf", "/diag")) else name.removeprefix("/")
                found = topics.setdefault((name, way), (end, set()))
                found[1].add(node.get_name())


def _add_services(services, node):
    own = f"/{node.get_name()}/"
    for service in node.services:
        name = service.srv_name.replace(own, "~/")
        if not PARAMETER_SERVICES.search(name):
            services.setdefault((name, type_name(service.srv_type)), set()).add(node.get_name())


def _add_parameters(parameters, node):
    for cls, prefix in PREFIXES.items():
        for f in dataclasses.fields(cls):
            name = prefix + f.name
            if node.has_parameter(name):
                found = parameters.setdefault(name, (f, node.describe_parameter(name), set()))
                found[2].add(node.get_name())


def topic_table(topics):
    """Inputs first, then outputs."""
    rows = []
    for (name, way), (end, users) in sorted(topics.items(), key=lambda t: (t[0][1], t[0][0])):
        rows.append((f"`{name}`", way, f"`{type_name(end.msg_type)}`", listed(users),
                     qos(end.qos_profile), told(TOPICS, name, "topic")))  # fmt: skip
    return table(("topic", "", "type", "nodes", "QoS", "what"), rows)


def service_table(services):
    rows = [
        (f"`{name}`", f"`{kind}`", listed(users), told(SERVICES, name, "service"))
        for (name, kind), users in sorted(services.items())
    ]
    return table(("service", "type", "nodes", "what"), rows)


def parameter_table(parameters):
    rows = []
    for name, (f, descriptor, users) in parameters.items():
        default = "`true`" if f.default is True else "`false`" if f.default is False else None
        shown = default or (f"`{f.default}`" if f.default != "" else "empty")
        when = "start" if descriptor.read_only else "any time"
        rows.append((f"`{name}`", shown, limits(f), when, listed(users), f.metadata["help"]))
    return table(("parameter", "default", "values", "changed", "nodes", "what"), rows)


def limits(f):
    """Which values a config field takes."""
    low, high, choices = (f.metadata[k] for k in ("low", "high", "choices"))
    if choices:
        return ", ".join(choices)
    return f"{low:g} to {high:g}" if low is not None else ""


def qos(profile):
    """A QoSProfile in short."""
    words = [
        "reliable" if profile.reliability == QoSReliabilityPolicy.RELIABLE else "best effort",
        *(["latched"] if profile.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL else []),
        f"depth {profile.depth}",
    ]
    return ", ".join(words)


def type_name(kind):
    """package/Name of a message or service class."""
    return f"{kind.__module__.split('.')[0]}/{kind.__name__}"


ORDER = ("segment", "classify", "align", "pipeline")


def listed(users):
    """Names of nodes in the order of the data."""
    return "all" if len(users) == len(ORDER) else ", ".join(n for n in ORDER if n in users)


def told(texts, name, kind):
    """The description of a topic or service; ValueError where nobody wrote one."""
    if name not in texts:
        raise ValueError(f"{kind} {name} has no description in roomcad_ros/reference_text.py")
    return texts[name]


def table(head, rows):
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"
                     for line in lines)  # fmt: skip


def filled(text, found):
    """`text` with each table of `found` in its place; ValueError where it has no place."""
    for name, content in found.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"no lines `<!-- {name} -->` and `<!-- end -->`")
        text = pattern.sub(lambda m, content=content: f"{m[1]}\n{content}\n\n{m[2]}", text)
    return text


def main(argv=None):
    """Write the tables; with --check only say whether they are up to date (exit status 1: no)."""
    parser = argparse.ArgumentParser("reference", description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path, help="Markdown file with places for the tables")
    parser.add_argument("--check", action="store_true", help="change nothing")
    args = parser.parse_args(argv)
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    rclpy.init()
    try:
        text = args.page.read_text()
        new = filled(text, tables())
    except (ValueError, OSError) as error:
        sys.exit(f"reference: {args.page}: {error}")
    finally:
        rclpy.try_shutdown()
    if args.check:
        sys.exit(int(new != text))
    args.page.write_text(new)


if __name__ == "__main__":
    main()
