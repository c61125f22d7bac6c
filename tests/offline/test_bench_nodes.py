"""Processor time and memory of a launch: counted over all processes below it."""

import os
import subprocess
import sys

import pytest

from roomcad_offline.bench_nodes import cpu_seconds, family, memory_mb, nodes_lines, saving

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
