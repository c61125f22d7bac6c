# Source this file (bash) to work in the environment that `make setup` built:
#     source scripts/env.sh
# Python, the ROS 2 workspace and the `ros2` command are then at hand, on this machine only.

roomcad_root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
roomcad_venv="$roomcad_root/.venv"

if [ ! -x "$roomcad_venv/bin/python" ] || [ ! -f "$roomcad_root/ros_ws/install/setup.bash" ]; then
  echo "roomcad is not set up here; run: make setup" >&2
  return 1
fi

if grep -q "^include-system-site-packages = false" "$roomcad_venv/pyvenv.cfg"; then
  # ROS 2 from wheels: the environment itself is the ament prefix. Leftovers of another ROS
  # would mix with it.
  unset PYTHONPATH PYTHONHOME COLCON_PREFIX_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE
  export AMENT_PREFIX_PATH="$roomcad_venv" CMAKE_PREFIX_PATH="$roomcad_venv"
elif [ -z "${ROS_DISTRO:-}" ]; then
  echo "set up for an official ROS 2, which is not sourced; source /opt/ros/.../setup.bash" >&2
  return 1
fi

export VIRTUAL_ENV="$roomcad_venv"
case ":$PATH:" in
  "$roomcad_venv/bin:"*) ;;
  *) export PATH="$roomcad_venv/bin:$PATH" ;;
esac
. "$roomcad_root/ros_ws/install/setup.bash"
# Nothing is sent to the network unless asked for.
export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"
unset roomcad_root roomcad_venv
