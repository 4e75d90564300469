"""What HTTP calls the file formats of answers."""

from __future__ import annotations

from alphacut_core.options import Format

TYPES: dict[Format, str] = {"png": "image/png", "webp": "image/webp", "avif": "image/avif", "jpeg": "image/jpeg"}
