"""rembg's own HTTP server, ``rembg s``, and a client that keeps its connections open."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from functools import partial
from http.client import HTTPConnection
from importlib import metadata
from typing import IO
from urllib.parse import urlencode

from alphacut_core.errors import InferenceError, MissingLibraryError, ServerStartError
from alphacut_loadtest.bench.rembg_inprocess import HOME_VARIABLE, MODEL
from alphacut_loadtest.bench.subject import Call, Setting, Subject

_COMMAND = [
    sys.executable, "-c", "from rembg.cli import main; main()",
    "s", "--host", "127.0.0.1", "--port", "0", "--no-ui",
]  # fmt: skip
_LISTENING = re.compile(r"running on http://127\.0\.0\.1:(\d+)")
_MISSING = re.compile(r"No module named '([^']+)'|(dependencies are not installed)")
_BOUNDARY = "alphacut-bench"
_TIMEOUT_S = 600.0
_STOP_TIMEOUT_S = 20.0


class RembgServer(Subject):
    """The server as a child of this process, with its defaults but for the web page."""

    def __init__(self, setting: Setting) -> None:
        """Start it and wait until it listens.

        Raises:
            MissingLibraryError: A library of rembg's command line is not installed.
            ServerStartError: It ended at once.
        """
        super().__init__()
        # It opens a browser when it starts; "true" is one that shows nothing.
        variables = {**os.environ, HOME_VARIABLE: str(setting.scratch), "BROWSER": "true"}
        self._process = subprocess.Popen(
            _COMMAND,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._stack.callback(self._stop)
        self._port = _port(self._process.stdout)
        extras = urlencode({"extras": json.dumps({"model_path": str(setting.weights)})})
        self._path = f"/api/remove?{extras}"

    def call(self, contender: str, concurrency: int) -> Call:
        """Return a POST of the file to ``/api/remove``, over a connection that each thread keeps."""
        only_mask = {"rembg-http-mask": b"true", "rembg-http-cutout": b"false"}[contender]
        # New ones for each order: the server closes those that were idle for 5 s.
        return partial(self._post, threading.local(), only_mask)

    def versions(self) -> dict[str, str]:
        """Return those of rembg and its web server."""
        return {name: metadata.version(name) for name in ("rembg", "uvicorn", "fastapi")}

    def _post(self, connections: threading.local, only_mask: bytes, data: bytes) -> bytes:
        connection = getattr(connections, "of_this_thread", None)
        if connection is None:
            connection = connections.of_this_thread = HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_S)
        fields = {"model": MODEL.encode(), "om": only_mask}
        headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        connection.request("POST", self._path, _form(fields, data), headers)
        response = connection.getresponse()
        content: bytes = response.read()
        if response.status != 200:
            raise InferenceError(f"rembg's server answered {response.status}: {content[:200]!r}")
        return content

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _port(output: IO[str] | None) -> int:
    """Read the log up to the line that names the port; read the rest in a thread, that the server never blocks."""
    lines: list[str] = []
    for line in output or ():
        lines.append(line)
        found = _LISTENING.search(line)
        if found:
            threading.Thread(target=lambda: [None for _ in output or ()], daemon=True).start()
            return int(found[1])
    log = "".join(lines)
    missing = _MISSING.search(log)
    if missing:
        raise MissingLibraryError(
            f"rembg's server needs {missing[1] or 'click'}, which is missing; "
            "run pip install '.[loadtest]' in Alphacut's checkout"
        )
    raise ServerStartError(f"rembg's server ended before it listened; its last words:\n{log[-2000:]}")


def _form(fields: dict[str, bytes], data: bytes) -> bytes:
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (_BOUNDARY.encode(), name.encode(), value)
        for name, value in fields.items()
    ]
    file = (
        b'--%s\r\nContent-Disposition: form-data; name="file"; filename="picture"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n%s\r\n--%s--\r\n"
    ) % (_BOUNDARY.encode(), data, _BOUNDARY.encode())
    return b"".join(parts) + file
