"""Everything that gives RGB-D frames, behind one interface.

`open_dataset(path)` looks at what is on disk. A dataset has `len()`, `[i] -> types.Frame`,
iteration, `.name`, `.fps`, `.stamps` and `.ground_truth`; its world is z-up, whatever the files
say. A new kind is a subclass of `base.Dataset` and one line in DATASETS.
"""

from pathlib import Path

from roomcad_core.config import from_dict
from roomcad_core.datasets.base import Dataset
from roomcad_core.datasets.options import ReadConfig
from roomcad_core.datasets.rosbag import RosBag
from roomcad_core.datasets.scannet_folder import ScanNetFolder
from roomcad_core.datasets.sens import SensFile
from roomcad_core.datasets.simulated import SimulatedRoom

__all__ = ["DATASETS", "Dataset", "ReadConfig", "open_dataset"]

# In the order they are tried: a simulated room is a ScanNet-style folder with more in it.
DATASETS = {
    "simulated": SimulatedRoom,
    "scannet": ScanNetFolder,
    "sens": SensFile,
    "rosbag": RosBag,
}


def open_dataset(path, **options):
    """Open the dataset at `path`, chosen by what is on disk.

    Args:
        path: file or folder.
        **options: fields of options.ReadConfig, for instance up="y" or bad="skip".

    Raises:
        FileNotFoundError: nothing is at `path`.
        ValueError: nothing known is at `path`, an option is unknown, or the data are damaged.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    config = from_dict(ReadConfig, options)
    for kind in DATASETS.values():
        if kind.found_at(path):
            return kind(path, config)
    looked_for = "; ".join(f"{name}: {kind.LOOKS_FOR}" for name, kind in DATASETS.items())
    raise ValueError(f"{path}: no dataset here. Looked for {looked_for}")
