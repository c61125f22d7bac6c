# Each target sets up what it needs; `make setup` alone does just that.
#   make demo [SEQUENCE=FOLDER_OR_BAG]   simulated room, or a real sequence -> demo_out/
#   make test                            all tests, with torch and TensorRT-RTX, which they need
#   make soak [MINUTES=10] [OUT=runs/soak]   the whole stack at 10 frames/s: memory, drops, delay
#   make lint | bench | docs | setup-train | setup-models | clean
#   make setup-tensorrt [TENSORRT=tensorrt]   for NVIDIA GPUs: TensorRT-RTX, or the full TensorRT

# The ROS wheels are built for Python 3.11; an official ROS brings its own Python.
ifeq ($(ROS_DISTRO),)
PYTHON ?= $(shell command -v python3.11 || command -v python3)
else
PYTHON ?= python3
endif
RUN := scripts/run.sh
TENSORRT ?= tensorrt_rtx
MINUTES ?= 10
OUT ?= runs/soak

.DEFAULT_GOAL := help
.PHONY: help setup setup-train setup-models setup-tensorrt demo test lint bench soak docs clean

help:
	@sed -n 's/^# \{0,1\}//p; /^$$/q' Makefile

setup:
	@$(PYTHON) scripts/set_up.py

setup-train:
	@$(PYTHON) scripts/set_up.py --train

setup-models:
	@$(PYTHON) scripts/set_up.py --models

setup-tensorrt:
	@$(PYTHON) scripts/set_up.py --tensorrt $(TENSORRT)

demo: setup
	@$(RUN) python -m roomcad_offline.demo $(if $(SEQUENCE),--sequence "$(SEQUENCE)")

# Without torch the tests of training and export would be skipped, without TensorRT-RTX those that
# build the engines of all shipped networks.
test:
	@$(PYTHON) scripts/set_up.py --tests
	@$(RUN) python -m pytest --durations=10

lint: setup
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

bench: setup
	@$(RUN) python -m roomcad_offline.bench

# Not part of `make test`: it takes as long as it is told to.
soak: setup
	@$(RUN) roomcad-offline rooms make runs/soak_rooms --rooms 3 --frames 100 --fps 10 --seed 5
	@$(RUN) python -m roomcad_ros.soak runs/soak_rooms/room* --minutes $(MINUTES) --out "$(OUT)"

docs: setup
	@$(RUN) python -m roomcad_ros.reference docs/ros.md

clean:
	rm -rf .venv .venv-models ros_ws/build ros_ws/install ros_ws/log demo_out .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} + -o -name '*.egg-info' -prune -exec rm -rf {} +
