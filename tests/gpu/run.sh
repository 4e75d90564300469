#!/bin/sh
# Everything that a GPU machine is to tell, unattended, in under ten minutes; see README.md.
here=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" exec "${PYTHON:-python3}" -m alphacut_gpu "$@"
