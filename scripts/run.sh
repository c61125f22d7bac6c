#!/bin/bash
# Runs a command in the environment that `make setup` built: scripts/run.sh COMMAND [ARGUMENT...]
set -e
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
exec "$@"
