"""``python -m alphacut_server serve``, for those who start the server as a process of its own; ``environment`` too."""

from __future__ import annotations

import click

from alphacut_server.cli import environment, serve

main = click.Group(commands=[environment, serve])

if __name__ == "__main__":
    main(prog_name="python -m alphacut_server")
