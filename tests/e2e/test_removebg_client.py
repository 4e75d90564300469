"""A client that was published for remove.bg, pointed at the gateway and otherwise unchanged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.triton

PROGRAM = """
import base64, logging, sys
from removebg import removebg

removebg.API_ENDPOINT = sys.argv[1] + "/v1.0/removebg"
client = removebg.RemoveBg("any key", "error.log")
client.remove_background_from_img_file("photo.jpg", size="regular")
client.remove_background_from_img_file("photo.jpg", size="4k", bg_color="white")
content = base64.b64encode(open("photo.jpg", "rb").read()).decode()
client.remove_background_from_base64_img(content, size="hd", new_file_name="base64.png")
try:
    client.remove_background_from_img_url("http://127.0.0.1/photo.jpg", new_file_name="url.png")
except Exception as error:
    print(error.response.status_code, error.response.json()["errors"][0]["code"])
"""


def test_the_published_python_client_works(gateway: str, samples: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(samples["cat"])
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, gateway], cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["400", "failed_image_download"]
    with Image.open(tmp_path / "base64.png") as cutout:
        assert (cutout.format, cutout.mode) == ("PNG", "RGBA")
        assert cutout.width * cutout.height <= 4_000_000
    # The second call wrote over the first: a white background makes a JPEG, whatever the client calls the file.
    with Image.open(tmp_path / "photo.jpg_no_bg.png") as opaque:
        assert opaque.format == "JPEG"
