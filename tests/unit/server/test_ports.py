"""Whose port it is, before anybody listens there."""

from __future__ import annotations

import socket

import pytest
from click.testing import CliRunner

from alphacut_core.errors import ServerStartError
from alphacut_server.__main__ import main
from alphacut_server.ports import claim, free_ports


def test_a_port_is_one_servers_until_that_ends() -> None:
    (port,) = free_ports(1)
    with claim(port, "--port"), pytest.raises(ServerStartError, match=rf"port {port} .*another embedded server's"):  # noqa: SIM117
        with claim(port, "--port"):
            pass
    with claim(port, "--port"):
        pass


def test_a_port_that_somebody_listens_at_is_refused_with_the_option_that_names_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerStartError, match=r"in use.*choose another with --metrics-port"):  # noqa: SIM117
            with claim(port, "--metrics-port"):
                pass


def test_one_port_for_both_is_refused() -> None:
    done = CliRunner().invoke(main, ["serve", "--port", "29551", "--metrics-port", "29551"])
    assert done.exit_code == 2
    assert "--metrics-port is 29551 and so is --port" in done.stderr
