"""Records which names each version of TensorRT's Python bindings has, in names.json.

    python tests/unit/engines/tensorrt/record_names.py FOLDER

FOLDER holds wheels of the bindings; what is missing is loaded into it from the package index. Neither TensorRT's
libraries nor a GPU are needed, but a C compiler is: the bindings import against libraries that have TensorRT's nine
entry points and nothing behind them, and are asked for their names only.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path

NAMES = Path(__file__).with_name("names.json")
VERSIONS = ("10.4.0", "10.8.0.43", "10.13.3.9", "10.16.1.11", "11.0.0.114", "11.2.1.2", "11.4.0.106")
PACKAGE = "tensorrt-cu12-bindings"
LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser")
ENTRY_POINTS = (
    "createInferBuilder_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createInferRuntime_INTERNAL",
    "createNvOnnxParserRefitter_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "getBuilderPluginRegistry",
    "getNvOnnxParserVersion",
    "getPluginRegistry",
    "initLibNvInferPlugins",
)

# Parts of networks that are written by hand; here they are parsed.
_LEFT_OUT = "Layer$|Plugin|Expr|^I?Algorithm|^IInt8"


def record(folder: Path) -> dict[str, object]:
    """Return the content of names.json, from wheels in ``folder``."""
    wheels, versions_of = [], defaultdict(list)
    for version in VERSIONS:
        wheel = _wheel(folder, version)
        wheels.append({"version": version, "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()})
        for name in _names_in(wheel):
            versions_of[name].append(version)
    groups = defaultdict(list)
    for name, versions in versions_of.items():
        groups[tuple(versions)].append(name)
    return {
        "package": PACKAGE,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "wheels": wheels,
        "groups": [{"versions": versions, "names": sorted(groups[versions])} for versions in sorted(groups)],
    }


def _wheel(folder: Path, version: str) -> Path:
    pattern = f"{PACKAGE.replace('-', '_')}-{version}-*.whl"
    if not list(folder.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*command, "--dest", str(folder), f"{PACKAGE}=={version}"], check=True)
    (wheel,) = folder.glob(pattern)
    return wheel


def _names_in(wheel: Path) -> list[str]:
    """Import a wheel's bindings in a process of their own and return their names."""
    with tempfile.TemporaryDirectory() as folder:
        bindings = Path(folder, "tensorrt_bindings")
        zipfile.ZipFile(wheel).extract("tensorrt_bindings/tensorrt.so", folder)
        code = "\n".join(f"void *{name}(void) {{ return 0; }}" for name in ENTRY_POINTS)
        major = wheel.name.split("-")[1].split(".")[0]
        for library in LIBRARIES:
            target = str(bindings / f"lib{library}.so.{major}")
            subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", target], input=code, text=True, check=True)
        environment = {**os.environ, "LD_LIBRARY_PATH": str(bindings)}
        asked = subprocess.run(
            [sys.executable, __file__, "--names-of", str(bindings)],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
    names: list[str] = json.loads(asked.stdout)
    return names


def _names_of(bindings: str) -> list[str]:
    """Return ``Class.method(parameter, ...) -> Type`` and the like for everything public."""
    sys.path.insert(0, bindings)
    import tensorrt  # found in ``bindings`` only

    names: list[str] = []
    for name, thing in vars(tensorrt).items():
        if isinstance(thing, type) and not re.search(_LEFT_OUT, name):
            names += _of_class(name, thing)
    return names


def _of_class(name: str, cls: type) -> list[str]:
    members = getattr(cls, "__members__", {})
    names = [f"{name}.{member}: {name}" for member in members]
    for attribute in dir(cls):
        value = getattr(cls, attribute)
        if attribute in members or (attribute.startswith("_") and attribute != "__init__"):
            continue
        if re.match("add_.*|plugin", attribute) and name == "INetworkDefinition":
            continue
        if isinstance(value, type):
            names += _of_class(f"{name}.{attribute}", value)
        elif isinstance(value, property):
            kind = "writable" if value.fset else "readable"
            names.append(f"{name}.{attribute}: {kind} {_result(value.fget.__doc__ or '')}")
        elif attribute != "__init__" or "self" in (value.__doc__ or ""):
            names.append(f"{name}.{attribute}{_signature(value.__doc__ or '')}")
    return names


def _signature(text: str) -> str:
    """Return parameters and result of the first overload that a docstring names; a default is marked by ``=``."""
    found = re.search(r"\(self: [\w.:]+(?P<rest>.*)\) -> .*", text)
    if found is None:
        return "(*)"
    parameters = re.findall(r", (\w+): (?:[^,=\[]|\[[^\]]*\])*(=?)", found["rest"])
    return f"({', '.join(name + default for name, default in parameters)}) -> {_result(found[0])}"


def _result(text: str) -> str:
    found = re.search(r"-> ([\w.:]+)", text)
    return re.split(r"[.:]", found[1])[-1].replace("List", "list").replace("Tuple", "tuple") if found else "?"


if __name__ == "__main__":
    if sys.argv[1] == "--names-of":
        # With everything resolved at once, as Python asks for, the empty libraries would not be enough.
        sys.setdlopenflags(os.RTLD_LAZY)
        sys.stdout.write(json.dumps(_names_of(sys.argv[2])))
    else:
        NAMES.write_text(json.dumps(record(Path(sys.argv[1])), indent=1) + "\n")
