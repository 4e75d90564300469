"""Calling addresses that callers name: off by default, allow-listed, pinned."""
