"""Package metadata of roomcad_offline; torch comes with the extra `train` only."""

from setuptools import find_packages, setup

NAME = "roomcad_offline"

setup(
    name=NAME,
    version="0.1.0",
    description="roomcad offline: simulated rooms, data sets, training, tables, figures, demo",
    license="Apache-2.0",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={NAME: ["**/*.csv", "**/*.yaml", "**/*.json"]},
    python_requires=">=3.10",
    install_requires=[
        "matplotlib",
        "numpy",
        "open3d-cpu",
        "opencv-python-headless<5",
        "pillow",
        "pycocotools",
        "pyyaml",
        "rosbags",
        "roomcad_core",
        "scipy",
        "tqdm",
        "trimesh",
    ],
    extras_require={"train": ["h5py", "onnx", "safetensors", "sympy", "torch==2.13.0"]},
    entry_points={"console_scripts": ["roomcad-offline = roomcad_offline.cli:main"]},
)
