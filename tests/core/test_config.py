"""Settings: round trip, and every wrong value refused by name."""

import pytest

from roomcad_core import config


def test_a_saved_config_reads_back_equal(tmp_path):
    changed = config.PipelineConfig(segment=config.SegmentConfig(max_depth=4.0))
    config.save(changed, tmp_path / "c.yaml")
    assert config.load(tmp_path / "c.yaml") == changed


def test_an_empty_file_means_the_defaults(tmp_path):
    (tmp_path / "c.yaml").write_text("")
    assert config.load(tmp_path / "c.yaml") == config.PipelineConfig()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("segmnt: {}", "segmnt"),
        ("segment: {max_depth: far}", "max_depth: got 'far', expected a float"),
        ("segment: {max_depth: 1000.0}", "max_depth: got 1000.0, expected 0.5 to 20"),
        ("align: {aligner: magic}", "aligner: got 'magic', expected one of"),
        ("align: 3", "expected a mapping"),
        ("align: {n_yaw: true}", "n_yaw: got True, expected a int"),
        ("a: [", "c.yaml"),
    ],
)
def test_wrong_settings_are_refused_with_file_and_field(tmp_path, text, complaint):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ValueError) as error:
        config.load(tmp_path / "c.yaml")
    assert complaint in str(error.value)
    assert "c.yaml" in str(error.value)
