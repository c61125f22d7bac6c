"""Package metadata, read by colcon and by pip alike; the version lives in package.xml."""

from pathlib import Path
from xml.etree import ElementTree

from setuptools import find_packages, setup

NAME = "roomcad_ros"
HERE = Path(__file__).resolve().parent
# The launch folder stands at the root of the repository, where people look for it.
LAUNCH = "../../../launch"

setup(
    name=NAME,
    version=ElementTree.parse(HERE / "package.xml").findtext("version"),
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={NAME: ["*.xml"]},
    python_requires=">=3.10",
    install_requires=["numpy", "opencv-python-headless<5"],
    extras_require={"bags": ["rosbags"]},
    entry_points={
        "console_scripts": [
            f"{name} = {NAME}.{name}:main"
            for name in (
                "segment_node",
                "classify_node",
                "align_node",
                "pipeline_node",
                "replay",
                "record",
                "latency",
            )
        ]
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        (
            f"share/{NAME}/launch",
            [f"{LAUNCH}/{path.name}" for path in sorted((HERE / LAUNCH).glob("*.*"))],
        ),
    ],
)
