# Two stages that need nothing of each other:
#   docker build --target robot -t roomcad:robot .    ROS 2 Jazzy with the nodes, no torch
#   docker build --target train -t roomcad:train .    torch with the offline part, no ROS

# For TensorRT on an NVIDIA GPU: --build-arg TENSORRT=10.16.1.11, and run with --gpus all. On a
# Jetson give an L4T image that has ROS 2 Jazzy and TensorRT: --build-arg ROBOT_BASE=...
ARG ROBOT_BASE=ros:jazzy-ros-base

FROM ${ROBOT_BASE} AS robot
ARG TENSORRT=""
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    libegl1 libgl1 libgomp1 libusb-1.0-0 libx11-6 \
    python3-colcon-common-extensions python3-dev python3-matplotlib python3-opencv python3-pil \
    python3-pip python3-scipy python3-venv python3-yaml \
    ros-jazzy-cv-bridge ros-jazzy-message-filters ros-jazzy-rosbag2-storage-mcap \
    ros-jazzy-rviz2 ros-jazzy-sensor-msgs-py ros-jazzy-tf2-msgs ros-jazzy-tf2-ros \
    ros-jazzy-vision-msgs \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /roomcad
# Requirements first: editing the sources does not install them again.
COPY requirements requirements
RUN python3 -m venv --system-site-packages .venv \
    && .venv/bin/pip install --no-cache-dir -r requirements/robot.txt -r requirements/dev.txt \
    && if [ -n "${TENSORRT}" ]; then .venv/bin/pip install --no-cache-dir \
        --extra-index-url https://pypi.nvidia.com "tensorrt-cu12==${TENSORRT}"; fi
COPY . .
RUN . /opt/ros/jazzy/setup.bash && make setup
# scripts/run.sh puts .venv and the workspace on the path; ROS is sourced by the image's own
# entry point. Containers that share the network with the robot set this to SUBNET.
ENV ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST
CMD ["scripts/run.sh", "ros2", "launch", "launch/perception.launch.py"]

FROM python:3.11-slim-bookworm AS train
RUN apt-get update && apt-get install -y --no-install-recommends \
    libegl1 libgl1 libgomp1 libusb-1.0-0 libx11-6 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /roomcad
COPY requirements requirements
# constraints.txt and setuptools' pin hold the versions the tests ran with.
RUN pip install --no-cache-dir -r requirements/core.txt -r requirements/train.txt \
    -c requirements/constraints.txt
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation \
    -e ros_ws/src/roomcad_core -e offline
CMD ["roomcad-offline", "--help"]
