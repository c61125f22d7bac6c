# Each target sets up what it needs; `make setup` alone does just that.
#   make demo [SEQUENCE=FOLDER_OR_BAG]   simulated room, or a real sequence -> demo_out/
#   make test                            all tests
#   make lint | bench | setup-train | clean

# The ROS wheels are built for Python 3.11; an official ROS brings its own Python.
ifeq ($(ROS_DISTRO),)
PYTHON ?= $(shell command -v python3.11 || command -v python3)
else
PYTHON ?= python3
endif
RUN := scripts/run.sh

.DEFAULT_GOAL := help
.PHONY: help setup setup-train demo test lint bench clean

help:
	@sed -n 's/^# \{0,1\}//p; /^$$/q' Makefile

setup:
	@$(PYTHON) scripts/set_up.py

setup-train:
	@$(PYTHON) scripts/set_up.py --train

demo: setup
	@$(RUN) python -m roomcad_offline.demo $(if $(SEQUENCE),--sequence "$(SEQUENCE)")

test: setup
	@$(RUN) python -m pytest --durations=10

lint: setup
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

bench: setup
	@$(RUN) python -m roomcad_offline.bench

clean:
	rm -rf .venv ros_ws/build ros_ws/install ros_ws/log demo_out .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} + -o -name '*.egg-info' -prune -exec rm -rf {} +
