"""Alphacut's gateway: an HTTP API and a web page in front of Triton."""

from alphacut_gateway.app import create_app
from alphacut_gateway.settings import Settings

__all__ = ["Settings", "create_app"]
