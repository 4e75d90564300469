"""The page in a real browser, in front of the real gateway and Triton."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
TIMEOUT_MS = 60_000
FLAGS = (
    "--no-sandbox",  # tests run as root in containers, where Chromium's sandbox does not start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


# Not for the session: while Playwright runs, its event loop does, and other tests could not run theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; pip install playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("found no chromium on PATH; install Debian's package chromium to test the page")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield launched
        launched.close()


class Page:
    """An open page. What its console complains about and every foreign address are kept, and so are uploads."""

    def __init__(self, browser: Any, url: str, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.context.set_default_timeout(TIMEOUT_MS)
        self.complaints: list[str] = []
        self.posts: list[str] = []
        self.requests: list[str] = []
        self.tab = self.context.new_page()
        self.tab.on("console", self._hear)
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("request", self._see)
        self.url = url
        self.tab.goto(url)

    def _hear(self, message: Any) -> None:
        # Chromium itself reports answers that are errors; tests that want one look at what the page makes of it.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _see(self, sent: Any) -> None:
        self.requests.append(sent.url)
        if sent.method == "POST":
            self.posts.append(sent.url)
        if not sent.url.startswith((self.url, "blob:")):
            self.complaints.append(f"a request to {sent.url}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tab, name)

    def give(self, *files: Path) -> None:
        """Choose files and wait until the first is cut out and all others are."""
        self.tab.set_input_files("#files", list(files))
        self.wait_for_mode("split")
        self.tab.get_by_text(f"{len(files)} of {len(files)} cut out").wait_for()

    def wait_for_mode(self, mode: str) -> None:
        self.tab.locator(f"#stage[data-mode={mode}]").wait_for()

    def slide(self, control: str, value: float) -> None:
        """Set a range, as moving it does."""
        self.tab.evaluate(
            "([id, value]) => { const it = document.getElementById(id); it.value = value;"
            " it.dispatchEvent(new Event('input', {bubbles: true})) }",
            [control, value],
        )

    def choose(self, label: str) -> None:
        self.tab.get_by_role("radio", name=label, exact=True).check(force=True)

    def pixels(self, canvas: str = "#after") -> np.ndarray:
        """Return what a canvas shows, uint8 (H, W, 4)."""
        size, flat = self.tab.evaluate(
            "(at) => { const it = document.querySelector(at); const {width: w, height: h} = it;"
            " const data = it.getContext('2d').getImageData(0, 0, w, h).data; let text = '';"
            " for (let i = 0; i < data.length; i += 32768)"
            " text += String.fromCharCode(...data.subarray(i, i + 32768)); return [[h, w], btoa(text)] }",
            canvas,
        )
        return np.frombuffer(base64.b64decode(flat), np.uint8).reshape(*size, 4)

    def wait_for_pixel(self, x: float, y: float, condition: str) -> None:
        """Wait until a pixel of the cut-out, at shares of its sides, fulfils a condition on its ``[r, g, b, a]``."""
        self.tab.wait_for_function(
            "([x, y, condition]) => { const it = document.querySelector('#after'); const [r, g, b, a] ="
            " it.getContext('2d').getImageData(x * it.width, y * it.height, 1, 1).data;"
            f" return {condition} }}",
            arg=[x, y, condition],
        )

    def download(self, button: str = "Download") -> tuple[str, bytes]:
        """Press a button; return the file's name and content."""
        with self.tab.expect_download() as told:
            self.tab.get_by_role("button", name=button, exact=True).click()
        return told.value.suggested_filename, Path(told.value.path()).read_bytes()

    def download_picture(self) -> Image.Image:
        image = Image.open(io.BytesIO(self.download()[1]))
        image.load()
        return image


@pytest.fixture
def open_page(browser: Any, gateway: str) -> Iterator[Callable[..., Page]]:
    """Open pages; at the end none may have complained."""
    opened: list[Page] = []

    def start(url: str = gateway, **context: Any) -> Page:
        opened.append(Page(browser, url, **context))
        return opened[-1]

    yield start
    complaints = [complaint for page in opened for complaint in page.complaints]
    for page in opened:
        page.context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def empty_page(browser: Any, gateway: str) -> Iterator[Page]:
    """One page for tests that leave nothing on it."""
    opened = Page(browser, gateway)
    yield opened
    opened.context.close()
    assert opened.complaints == []


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


@pytest.fixture(scope="session")
def disc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture whose subject is where one expects it: a red disc in the middle of a grey field, 600 x 400."""
    rows, columns = np.mgrid[:400, :600]
    inside = (columns - 300) ** 2 + (rows - 200) ** 2 < 120**2
    noise = np.random.default_rng(1).integers(-6, 7, (400, 600, 1))
    pixels = np.where(inside[..., None], (210, 40, 40), (150, 160, 150)) + noise
    path = tmp_path_factory.mktemp("pictures") / "disc.png"
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path
