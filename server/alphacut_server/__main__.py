"""``python -m alphacut_server``: ``serve``, for those who start the server as a process, ``environment``, ``guard``."""

from __future__ import annotations

import click

from alphacut_server.cli import environment, serve
from alphacut_server.guard import guard

main = click.Group(commands=[environment, guard, serve])

if __name__ == "__main__":
    main(prog_name="python -m alphacut_server")
