#!/bin/sh
# Collect in out/gpu-pack what run.sh needs on a machine without a network; see README.md.
here=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" exec "${PYTHON:-python3}" -m alphacut_gpu.pack "$@"
