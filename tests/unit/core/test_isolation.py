"""core works with numpy, Pillow and isal alone; without cykooz_resizer it is slower, which this shows too."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import importlib, pkgutil, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names | {"alphacut_core", "isal", "numpy", "PIL"}:
            raise ModuleNotFoundError(f"{name} is blocked")

sys.meta_path.insert(0, Blocker())
import alphacut_core
for module in pkgutil.iter_modules(alphacut_core.__path__):
    importlib.import_module(f"alphacut_core.{module.name}")

import numpy
from alphacut_core import Options, geometry, probe, steps
from alphacut_core.errors import MissingLibraryError
from alphacut_core.limits import DEFAULT_LIMITS
mask = numpy.full((32, 32), 200, numpy.uint8)
for options in (Options(), Options(color="rembg", decode="fast"), Options(output="mask", format="webp")):
    assert steps.preprocess(probe.picture(), options, 320, DEFAULT_LIMITS).shape == (320, 320, 3)
    assert steps.postprocess(probe.picture(), options, mask, DEFAULT_LIMITS)
for options in (Options(post_process=True), Options(decontaminate=True)):
    try:
        steps.postprocess(probe.picture(), options, mask, DEFAULT_LIMITS)
    except MissingLibraryError as error:
        print(error.code)
"""


def test_core_does_its_work_with_its_three_libraries_alone() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.split() == ["library-missing", "library-missing"]
