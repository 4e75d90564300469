"""The package's table of contents."""

from __future__ import annotations

import alphacut_client


def test_the_table_of_contents_is_sorted_and_complete() -> None:
    assert alphacut_client.__all__ == sorted(alphacut_client.__all__)
    exported = {
        name
        for name, value in vars(alphacut_client).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("alphacut_client")
    }
    assert exported == set(alphacut_client.__all__)
