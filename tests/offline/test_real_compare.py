"""Several evaluations of real rooms in one table."""

import json

import pytest

from roomcad_offline.cli import main


def record(recall, kinds=("scan",)):
    figure = {"value": recall, "interval_95": [recall - 0.1, recall + 0.1]}
    names = ("recall_0.5", "class_right", "both_right", "false_share")
    return {"kinds": {kind: {"frames": dict.fromkeys(names, figure)} for kind in kinds}}


def test_a_row_for_each_evaluation_and_a_table_for_each_kind(tmp_path, capsys):
    (tmp_path / "a.json").write_text(json.dumps(record(0.4)))
    (tmp_path / "b.json").write_text(json.dumps(record(0.6, ("recording", "scan"))))
    out = tmp_path / "table.md"
    files = [f"before={tmp_path / 'a.json'}", f"after={tmp_path / 'b.json'}"]
    assert main(["real", "compare", *files, "--out", str(out)]) == 0
    text = out.read_text()
    recordings, scans = text.split("Rendered scans:")
    assert "| before | 0.40 (0.30-0.50)" in scans and "| after | 0.60 (0.50-0.70)" in scans
    assert "before" not in recordings and "| after |" in recordings
    assert text in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["a.json", "=a.json", "a=missing.json", "a=bad.json", "a=list.json"]
)
def test_what_is_no_evaluation_is_refused(text, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "list.json").write_text("[]")
    assert main(["real", "compare", text, "--out", str(tmp_path / "t.md")]) == 1
    assert "expected NAME=FILE" in (err := capsys.readouterr().err) or "not a real.json" in err
