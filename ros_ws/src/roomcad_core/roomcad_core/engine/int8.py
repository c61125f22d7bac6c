"""Networks in whole numbers of eight bits: files of their own, beside those in float32.

`roomcad-offline quantise` makes such a file from a network and recorded inputs. It is taken where
OpenVINO runs the network on a CPU that adds up products of bytes in one instruction (VNNI): there
it takes less than half of the time. Other CPUs gain little, and may overflow on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from roomcad_core.engine.choose import make_engine
from roomcad_core.engine.files import verify
from roomcad_core.engine.open_vino import OpenVinoEngine
from roomcad_core.manifest import file_checks

KEY = "int8"  # of the file in a network's entry of the manifest: {"onnx": ..., "sha256": ...}
INSTRUCTIONS = {"avx512_vnni", "avx_vnni", "amx_int8"}
CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class QuantisedFile:
    """The file of a network in int8."""

    onnx: Path
    sha256: str


def read_quantised(where, entry, folder):
    """QuantisedFile of a network's entry of the manifest in `folder`, None where it has none.

    Raises:
        ValueError: what is there is malformed; `where` names the entry.
    """
    if KEY not in entry:
        return None
    file, expected = entry[KEY], ("onnx", "sha256")
    if not isinstance(file, dict) or set(file) != set(expected):
        raise ValueError(f"{where}.{KEY}: got {file!r}, expected {sorted(expected)}")
    for name, (good, wanted) in file_checks(file, Path(folder)).items():
        if not good:
            raise ValueError(f"{where}.{KEY}.{name}: got {file[name]!r}, expected {wanted}")
    return QuantisedFile(Path(folder) / file["onnx"], file["sha256"])


def pays():
    """Whether the CPU has instructions for it; False where that is not known."""
    if not CPUINFO.is_file():
        return False
    flags = (x for x in CPUINFO.read_text().splitlines() if x.startswith("flags"))
    return bool(INSTRUCTIONS & set(next(flags, "").split()))


def load_engine(spec, engine="auto", threads=0, precision="f32"):
    """Engine of a network of the manifest, its checksum verified.

    Args:
        spec: has onnx and sha256, and as `int8` a QuantisedFile or None.
        engine, threads: as make_engine takes them.
        precision: lowest that is allowed, of config.NETWORK_PRECISIONS.

    Raises:
        as make_engine and verify.
    """
    verify(spec.onnx, spec.sha256)
    loaded = make_engine(spec.onnx, engine, threads)
    if precision != KEY or spec.int8 is None or not pays() or loaded.name != OpenVinoEngine.name:
        return loaded
    verify(spec.int8.onnx, spec.int8.sha256)
    return make_engine(spec.int8.onnx, loaded.name, threads)
