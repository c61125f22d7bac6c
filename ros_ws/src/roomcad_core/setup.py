"""Package metadata, read by colcon and by pip alike; the version lives in package.xml."""

from pathlib import Path
from xml.etree import ElementTree

from setuptools import find_packages, setup

NAME = "roomcad_core"

setup(
    name=NAME,
    version=ElementTree.parse(Path(__file__).resolve().parent / "package.xml").findtext("version"),
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    python_requires=">=3.10",
    install_requires=[
        "numpy",
        "onnxruntime",
        "opencv-python-headless<5",
        "pyyaml",
        "scipy",
        "tqdm",
        "trimesh",
    ],
    extras_require={
        "bags": ["rosbags"],
        "icp": ["open3d-cpu"],
        "furniture": ["manifold3d"],
        "view": ["mcap-protobuf-support", "foxglove-schemas-protobuf"],
    },
    entry_points={"console_scripts": ["roomcad = roomcad_core.cli:main"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
    ],
)
