"""ROS parameters: made from the config dataclasses, wrong values refused with a message."""

import dataclasses

import pytest
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.parameter import Parameter

from roomcad_core.config import AlignConfig, PipelineConfig, SegmentConfig, TrackConfig
from roomcad_ros.params import refuse_unknown
from roomcad_ros.pipeline_node import PipelineNode
from roomcad_ros.segment_node import SegmentNode


@pytest.fixture
def node(spin):
    made = []

    def make(kind=SegmentNode, **values):
        overrides = [Parameter(k, value=v) for k, v in ({"autostart": False} | values).items()]
        made.append(kind(parameter_overrides=overrides))
        return made[-1]

    yield make
    for node in made:
        node.destroy_node()


def test_every_setting_is_a_parameter_with_its_default_and_description(node):
    made = node(PipelineNode)
    sections = {"segment.": SegmentConfig, "align.": AlignConfig, "tracks.": TrackConfig}
    for prefix, cls in sections.items():
        for f in dataclasses.fields(cls):
            assert made.get_parameter(prefix + f.name).value == f.default
            assert made.describe_parameter(prefix + f.name).description == f.metadata["help"]


def test_the_shipped_parameter_file_leaves_the_pipeline_at_its_defaults(spin, request):
    file = request.config.rootpath / "launch" / "params.yaml"
    node = PipelineNode(cli_args=["--ros-args", "--params-file", str(file)])
    assert node.config == PipelineConfig()
    node.destroy_node()


def test_ranges_and_choices_are_described(node):
    made = node(PipelineNode)
    (limits,) = made.describe_parameter("segment.max_depth").floating_point_range
    assert (limits.from_value, limits.to_value) == (0.5, 20.0)
    (limits,) = made.describe_parameter("align.n_yaw").integer_range
    assert (limits.from_value, limits.to_value) == (1, 16)
    aligners = made.describe_parameter("align.aligner").additional_constraints
    assert aligners == "one of: icp, multi_sparc"


def test_a_start_value_reaches_the_config(node):
    made = node(**{"segment.max_depth": 3.5})
    assert made._config.config == SegmentConfig(max_depth=3.5)


def test_a_number_changed_while_running_reaches_the_next_frame(node):
    made = node()
    made.trigger_configure()
    before = made.stage
    (result,) = made.set_parameters([Parameter("segment.max_depth", value=4.0)])
    assert result.successful
    made._serve(None)  # any item, even a bad one, comes after the rebuild
    assert made.stage is not before
    assert made._config.config.max_depth == 4.0


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("segment.max_depth", 200.0, "20.0"),
        ("segment.min_points", 1, "16"),
        ("segment.max_depth", "far", "type"),
        ("segment.detector", "other.yaml", "read-only"),
        ("world_frame", "earth", "read-only"),
        ("input", "sound", "read-only"),
    ],
)
def test_a_wrong_value_is_refused_with_a_reason(node, name, value, why):
    made = node()
    before = made.get_parameter(name).value
    (result,) = made.set_parameters([Parameter(name, value=value)])
    assert not result.successful
    assert why in result.reason
    assert made.get_parameter(name).value == before


@pytest.mark.parametrize(
    ("values", "error", "why"),
    [
        ({"segment.max_depth": 200.0}, InvalidParameterValueException, "20.0"),
        ({"segment.max_depth": "far"}, InvalidParameterTypeException, "max_depth"),
        ({"tracks.sigma_low": 0.9}, ValueError, "expected at most sigma_high"),
        ({"input": "sound"}, ValueError, "expected one of images, cloud"),
        ({"segment.max_dept": 2.0}, ValueError, "did you mean 'segment.max_depth'"),
    ],
)
def test_a_wrong_start_value_ends_the_node_at_once(node, values, error, why):
    with pytest.raises(error, match=why.replace(".", r"\.")):
        node(PipelineNode, **values)


def test_one_parameter_file_serves_all_nodes():
    refuse_unknown(["align.n_yaw", "segment.max_depth", "use_sim_time", "qos_overrides./a.b.depth"])
