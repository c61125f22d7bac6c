# Stages that need nothing of each other; compose.yaml puts the first two together:
#   docker build --target robot -t roomcad:robot .    ROS 2 Jazzy with the nodes, no torch
#   docker build --target camera -t roomcad:camera .  driver of a RealSense camera
#   docker build --target train -t roomcad:train .    torch with CUDA, no ROS

# A Jetson needs an L4T image that has ROS 2 Jazzy and TensorRT: --build-arg ROBOT_BASE=...
# Packages of apt are not pinned: old versions vanish from the mirrors.
# hadolint global ignore=DL3008
ARG ROBOT_BASE=ros:jazzy-ros-base
ARG ROS_BASE=ros:jazzy-ros-base

FROM ${ROBOT_BASE} AS robot
# For an NVIDIA GPU: tensorrt_rtx (RTX-class, from PyPI) or tensorrt (all, from NVIDIA's index).
ARG TENSORRT=""
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    libegl1 libgl1 libgomp1 libusb-1.0-0 libx11-6 \
    python3-colcon-common-extensions python3-dev python3-matplotlib python3-opencv python3-pil \
    python3-pip python3-scipy python3-venv python3-yaml \
    ros-jazzy-cv-bridge ros-jazzy-foxglove-bridge ros-jazzy-message-filters \
    ros-jazzy-rosbag2-storage-mcap \
    ros-jazzy-rviz2 ros-jazzy-sensor-msgs-py ros-jazzy-tf2-msgs ros-jazzy-tf2-ros \
    ros-jazzy-vision-msgs \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1100 roomcad && install -d -o roomcad -g roomcad /roomcad
USER 1100
WORKDIR /roomcad
COPY --chown=1100:1100 . .
RUN . /opt/ros/jazzy/setup.bash && make setup
RUN if [ -n "${TENSORRT}" ]; then \
    . /opt/ros/jazzy/setup.bash && make setup-tensorrt; fi
# TensorRT-RTX builds its engines here; TensorRT needs the GPU, so compose.gpu.yaml has it build
# them before the nodes start. The folder belongs to a volume, which takes over what is in it.
ENV ROOMCAD_ENGINES=/home/roomcad/engines
RUN mkdir "${ROOMCAD_ENGINES}" && if [ "${TENSORRT}" = tensorrt_rtx ]; then \
    . /opt/ros/jazzy/setup.bash && scripts/run.sh roomcad engine build; fi
# scripts/run.sh puts .venv and the workspace on the path; ROS is sourced by the image's own
# entry point. Containers that share the network with the robot set this to SUBNET.
ENV ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST
CMD ["scripts/run.sh", "ros2", "launch", "launch/perception.launch.py"]

FROM ${ROS_BASE} AS camera
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    ros-jazzy-realsense2-camera && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1100 --groups plugdev,video roomcad
# Fast DDS's own shared memory is too small for images.
COPY ros_ws/src/roomcad_ros/roomcad_ros/fastdds.xml /roomcad/fastdds.xml
USER 1100
ENV FASTRTPS_DEFAULT_PROFILES_FILE=/roomcad/fastdds.xml ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST
CMD ["ros2", "launch", "realsense2_camera", "rs_launch.py", \
    "camera_namespace:=", "camera_name:=camera", "align_depth.enable:=true"]

FROM python:3.11-slim-bookworm AS train
# torch for another CUDA, or for the CPU alone: .../whl/cpu
ARG TORCH_INDEX=https://download.pytorch.org/whl/cu130
RUN apt-get update && apt-get install -y --no-install-recommends \
    libegl1 libgl1 libgomp1 libusb-1.0-0 libx11-6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1100 roomcad && install -d -o roomcad -g roomcad /roomcad
WORKDIR /roomcad
COPY requirements requirements
# constraints.txt and setuptools' pin hold the versions the tests ran with.
RUN pip install --no-cache-dir -r requirements/core.txt -r requirements/train.txt \
    -c requirements/constraints.txt --extra-index-url "${TORCH_INDEX}"
COPY --chown=1100:1100 . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation \
    -e ros_ws/src/roomcad_core -e offline
USER 1100
CMD ["roomcad-offline", "--help"]
