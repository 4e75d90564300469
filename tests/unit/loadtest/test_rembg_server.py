"""What is sent to rembg's server, and what its log says."""

from __future__ import annotations

import email
import io

import pytest

from alphacut_core.errors import MissingLibraryError, ServerStartError
from alphacut_loadtest.bench import rembg_server


def test_the_form_carries_fields_and_file_byte_for_byte() -> None:
    data = bytes(range(256)) + b"\r\n--"
    head = f"Content-Type: multipart/form-data; boundary={rembg_server._BOUNDARY}\r\n\r\n".encode()
    form = email.message_from_bytes(head + rembg_server._form({"om": b"true"}, data))
    field, file = form.get_payload()
    assert field.get_param("name", header="Content-Disposition") == "om"
    assert field.get_payload(decode=True) == b"true"
    assert file.get_param("name", header="Content-Disposition") == "file"
    assert file.get_payload(decode=True) == data


def test_the_port_is_read_from_the_log() -> None:
    log = "INFO: Waiting\nINFO: Uvicorn running on http://127.0.0.1:41234 (Press CTRL+C to quit)\nINFO: more\n"
    assert rembg_server._port(io.StringIO(log)) == 41234


def test_a_missing_library_is_named() -> None:
    with pytest.raises(MissingLibraryError, match=r"needs fastapi.*\.\[loadtest\]"):
        rembg_server._port(io.StringIO("ModuleNotFoundError: No module named 'fastapi'\n"))


def test_another_end_is_told_with_its_last_words() -> None:
    with pytest.raises(ServerStartError, match="address already in use"):
        rembg_server._port(io.StringIO("ERROR: address already in use\n"))
