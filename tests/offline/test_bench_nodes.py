"""Processor time and memory of a launch: counted over all processes below it."""

import os
import subprocess
import sys

import numpy as np
import pytest

from roomcad_offline.bench_nodes import (
    cpu_seconds,
    family,
    memory_mb,
    run_watching,
    with_costs,
)
from roomcad_offline.bench_nodes_table import nodes_lines, saving, verdict

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="no /proc")

# A process whose child, in a session of its own, works a little and holds 64 MB.
CHILD = "x = bytearray(b'1') * 2**26; sum(range(3 * 10**6)); print('ready', flush=True); input()"
PARENT = (
    "import subprocess, sys; "
    "subprocess.run([sys.executable, '-c', sys.argv[1]], start_new_session=True)"
)


def test_children_in_sessions_of_their_own_are_counted():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert parent.stdout.readline() == b"ready\n"
        members = family(parent.pid)
        assert len(members) == 2 and parent.pid in members
        (child,) = members.keys() - {parent.pid}
        assert 64 < memory_mb(parent.pid) < 500
        assert cpu_seconds(parent.pid) >= cpu_seconds(child) > 0.01
    finally:
        parent.communicate(b"\n", timeout=30)
    assert family(parent.pid) == {}


def test_the_table_holds_both_and_the_sentence_what_one_process_saves():
    three = {"rate": 5.0, "sent": 55, "served": 55, "frames_per_second": 5.0}
    three |= {"median_ms": 150.0, "p95_ms": 220.0, "cpu_ms": 200.0, "memory_mb": 800}
    one = three | {"median_ms": 120.0, "cpu_ms": 180.0, "memory_mb": 900}
    lines = nodes_lines({"nodes": three, "one_process": one})
    assert "| three | 55 of 55 | 5.0 | 150.0 | 220.0 | 200.0 | 800 |" in lines
    assert saving(three, one) == lines[-1]
    assert "20 % of the median delay, 10 % of the processor time, -12 % of the memory" in lines[-1]


def tracked(rate, served, p95, **more):
    """What bench_nodes measures at one rate."""
    record = {"rate": rate, "sent_per_second": rate, "sent": 100, "served": served}
    record |= {"frames_per_second": rate * served / 100, "objects": 5.1, "passes": 2.2}
    record |= {"median_ms": 90.0, "p95_ms": p95, "max_ms": 500.0, "cpu_ms": 111.0}
    record |= {"median_first_third_ms": 90.0, "median_last_third_ms": 91.0}
    record |= {"drift_ms_per_minute": 1.5, "dropped": {"segment": {}}, "memory_mb": 800}
    return record | more


def test_steady_state_and_overload_have_tables_of_their_own():
    record = {"nodes": tracked(5.0, 100, 200.0), "one_process": tracked(5.0, 100, 150.0)}
    overload = tracked(30.0, 40, 250.0, dropped={"segment": {"newer_frame": 60}, "align": {}})
    ways = {name: [tracked(8.0, 100, 280.0), overload] for name in ("nodes", "one_process")}
    lines = nodes_lines(record | {"tracked": {"settle_s": 8.0, "first": 30, **ways}})
    text = "\n".join(lines)
    assert "from frame 30 on" in text and "the first 8 s" in text
    assert "| three | 8.0 | 100 of 100 | 8.0 | 5.1 | 2.2 | 90.0 | 280.0 | 111.0 |" in lines
    fast = "| three | 30.0 | 12.0 | 90.0 | 250.0 | 500.0 | 90.0, 91.0 | +1.5 |"
    assert f"{fast} segment: newer_frame 60 |" in lines


def test_the_aim_needs_both_the_rate_and_the_delay_and_never_counts_the_overload():
    overload = tracked(30.0, 40, 250.0)
    slow, late, good = tracked(8.0, 90, 200.0), tracked(8.0, 100, 301.0), tracked(8.0, 100, 300.0)
    some = {"nodes": [slow, late, overload], "one_process": [late, good, overload]}
    assert verdict(some).endswith("is reached by: one (`composition:=true`).")
    assert verdict({name: [slow, late, overload] for name in some}).endswith("reached by: none.")


def test_processor_time_is_that_of_the_frames_that_count():
    used = np.array([[100.0, 5.0], [110.0, 15.0], [120.0, 17.0]])
    costs = with_costs({"served": 10, "window": [105.0, 115.0]}, used, 799.6)
    assert costs["cpu_ms"] == pytest.approx(600)  # 5 s of the first pace, 1 s of the second
    assert costs["memory_mb"] == 800


def test_the_watched_command_must_succeed():
    used = run_watching([sys.executable, "-c", ""], dict(os.environ), os.getpid(), period=0.02)
    assert used.shape[1] == 2 and (np.diff(used, axis=0) >= 0).all()
    with pytest.raises(subprocess.CalledProcessError):
        run_watching([sys.executable, "-c", "raise SystemExit(3)"], None, os.getpid(), period=0.02)
