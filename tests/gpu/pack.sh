#!/bin/sh
# Collect in out/gpu-pack what run.sh needs on a machine without a network; see README.md.
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-$here/../../.venv/bin/python}
command -v "$python" >/dev/null || { echo "error: $python is not there; run: make .venv/dev" >&2; exit 1; }
PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" exec "$python" -m alphacut_gpu.pack "$@"
