"""``alphacut remove`` as its users type it, against a server whose masks are known."""

from __future__ import annotations

import errno
import io
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from tritonclient.grpc import service_pb2

from alphacut_client.commands import alphacut
from alphacut_core.errors import AlphacutError

Serve = Callable[..., Any]
Photo = Callable[..., bytes]


def remove(*arguments: str | Path, url: str | None = None, stdin: bytes = b"") -> Result:
    words = ["remove", "--retry-for", "0", *map(str, arguments), *(["--url", url] if url else [])]
    return CliRunner().invoke(alphacut, words, input=stdin)


def never(request: Any, context: grpc.ServicerContext) -> Any:
    """Answer no request for as long as its caller waits."""
    left = threading.Event()
    if context.add_callback(left.set):  # or else the caller was gone before
        left.wait(60)
    return service_pb2.ModelInferResponse()


@pytest.fixture
def photos(tmp_path: Path, photo: Photo) -> Path:
    """A folder of three photographs and a text file that calls itself one."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    (folder / "one.png").write_bytes(photo(10, 10))
    (folder / "sub" / "two.jpg").write_bytes(photo(20, 20, "JPEG"))
    (folder / "three.webp").write_bytes(photo(30, 30, "WEBP"))
    (folder / "bad.jpg").write_text("no image")
    return folder


def sizes(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with Image.open(path) as image:
                found[path.relative_to(folder).as_posix()] = image.size
    return found


def test_a_file_becomes_a_file(serve: Serve, photo: Photo, tmp_path: Path) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(photo(64, 48, "JPEG"))
    result = remove(source, "-o", tmp_path / "cutout.png", url=serve().url)
    assert (result.exit_code, result.output) == (0, "")
    with Image.open(tmp_path / "cutout.png") as cutout:
        assert (cutout.format, cutout.mode, cutout.size) == ("PNG", "RGBA", (64, 48))


def test_a_file_may_go_into_a_folder_under_its_own_name(serve: Serve, photo: Photo, tmp_path: Path) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(photo(64, 48, "JPEG"))
    assert remove(source, "-o", tmp_path, "--format", "webp", url=serve().url).exit_code == 0
    with Image.open(tmp_path / "photo.webp") as cutout:
        assert cutout.format == "WEBP"


def test_standard_input_becomes_standard_output(serve: Serve, photo: Photo) -> None:
    result = remove("-", "-o", "-", "--mask", url=serve().url, stdin=photo(64, 48))
    assert result.exit_code == 0
    assert Image.open(io.BytesIO(result.stdout_bytes)).mode == "L"


def test_options_reach_the_picture(serve: Serve, photo: Photo) -> None:
    url = serve().url
    result = remove("-", "-o", "-", "--background", "#0000ff", url=url, stdin=photo(64, 48))
    assert Image.open(io.BytesIO(result.stdout_bytes)).convert("RGBA").getpixel((60, 20)) == (0, 0, 255, 255)


def test_a_folder_keeps_its_structure_and_one_bad_file_fails_alone(serve: Serve, photos: Path, tmp_path: Path) -> None:
    result = remove(photos, "-o", tmp_path / "out", url=serve().url)
    assert result.exit_code == 1
    assert sizes(tmp_path / "out") == {"one.png": (10, 10), "sub/two.png": (20, 20), "three.png": (30, 30)}
    assert f"error: {photos / 'bad.jpg'}: got 8 bytes" in result.stderr
    assert result.stderr.endswith(f"3 cut out, 0 were finished before, 1 failed\n  {photos / 'bad.jpg'}\n")


def test_a_second_run_does_only_what_is_missing(serve: Serve, photos: Path, tmp_path: Path) -> None:
    server = serve()
    (photos / "bad.jpg").unlink()
    remove(photos, "-o", tmp_path / "out", url=server.url)
    (tmp_path / "out" / "one.png").unlink()
    server.requests.clear()
    result = remove(photos, "-o", tmp_path / "out", url=server.url)
    assert (result.exit_code, len(server.requests)) == (0, 1)
    assert "1 cut out, 2 were finished before, 0 failed" in result.stderr


def test_what_is_finished_starts_no_server(
    serve: Serve, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "bad.jpg").unlink()
    remove(photos, "-o", tmp_path / "out", url=serve().url)
    monkeypatch.setattr("sys.executable", "/nowhere")
    assert remove(photos, "-o", tmp_path / "out").exit_code == 0


def test_overwrite_does_everything_again(serve: Serve, photos: Path, tmp_path: Path) -> None:
    server = serve()
    (photos / "bad.jpg").unlink()
    remove(photos, "-o", tmp_path / "out", url=server.url)
    server.requests.clear()
    remove(photos, "-o", tmp_path / "out", "--overwrite", url=server.url)
    assert len(server.requests) == 3


def test_a_result_that_cannot_be_written_fails_alone(serve: Serve, photos: Path, tmp_path: Path) -> None:
    (photos / "bad.jpg").unlink()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").write_text("a file where a folder is needed")
    result = remove(photos, "-o", tmp_path / "out", url=serve().url)
    assert result.exit_code == 1
    assert f"2 cut out, 0 were finished before, 1 failed\n  {photos / 'sub' / 'two.jpg'}\n" in result.stderr


def test_when_the_disk_is_full_the_rest_of_a_folder_is_left_with_one_error_and_done_by_the_same_command(
    serve: Serve, photo: Photo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(9):
        (photos / f"{number}.png").write_bytes(photo())
    command, server = (photos, "-o", tmp_path / "out", "--jobs", "1"), serve()
    written = itertools.count()
    write = Path.write_bytes

    def on_a_small_disk(path: Path, content: bytes) -> int:
        if next(written) < 3:
            return write(path, content)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", on_a_small_disk)
        result = remove(*command, url=server.url)
    assert result.exit_code == 1
    assert result.stderr == (
        "3 cut out, 0 were finished before, 0 failed\n"
        f"error: 6 were left, since {tmp_path / 'out' / '3.png'} cannot be written (No space left on device); "
        "mend that, and the same command goes on with them\n"
    )
    assert len(server.requests) <= 5
    assert remove(*command, url=server.url).stderr == "6 cut out, 3 were finished before, 0 failed\n"


def test_when_the_server_stays_away_the_rest_of_a_folder_is_left(serve: Serve, photo: Photo, tmp_path: Path) -> None:
    gone = serve()
    gone.stop()
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(9):
        (photos / f"{number}.png").write_bytes(photo())
    result = remove(photos, "-o", tmp_path / "out", "--jobs", "4", url=gone.url)
    assert result.exit_code == 1
    assert "0 cut out, 0 were finished before, 4 failed" in result.stderr
    assert "5 were left, since the server no longer answered" in result.stderr


def test_when_the_server_hangs_the_rest_of_a_folder_is_left(serve: Serve, photo: Photo, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(9):
        (photos / f"{number}.png").write_bytes(photo())
    result = remove(photos, "-o", tmp_path / "out", "--jobs", "4", "--timeout", "0.3", url=serve(never).url)
    assert result.exit_code == 1
    assert "0 cut out, 0 were finished before, 4 failed" in result.stderr
    assert "5 were left, since the server no longer answered" in result.stderr


def test_an_image_that_is_not_answered_in_time_fails_alone(
    serve: Serve, respond: Callable[..., Any], photo: Photo, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        (photos / f"{number}.png").write_bytes(photo())
    asked: list[Any] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append(request)
        return never(request, context) if len(asked) == 1 else respond(request)

    result = remove(photos, "-o", tmp_path / "out", "--jobs", "1", "--timeout", "2", url=serve(answer).url)
    assert result.exit_code == 1
    assert result.stderr.endswith(f"2 cut out, 0 were finished before, 1 failed\n  {photos / '0.png'}\n")


def test_what_is_no_file_is_named_and_fails_alone(serve: Serve, photos: Path, tmp_path: Path) -> None:
    (photos / "bad.jpg").unlink()
    os.mkfifo(photos / "pipe.jpg")
    (photos / "loop.jpg").symlink_to("loop.jpg")
    result = remove(photos, "-o", tmp_path / "out", url=serve().url)
    assert result.exit_code == 1
    assert len(sizes(tmp_path / "out")) == 3
    assert f"error: {photos / 'loop.jpg'}: got no regular file, nor a link to one that can be found" in result.stderr
    assert f"error: {photos / 'pipe.jpg'}: got no regular file, nor a link to one; remove it" in result.stderr
    assert f"3 cut out, 0 were finished before, 2 failed\n  {photos / 'loop.jpg'}\n" in result.stderr


def test_a_folder_that_cannot_be_listed_is_never_called_finished(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    result = remove(photos, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert f"error: {photos}: cannot list this folder (Permission denied); make it readable" in result.stderr


def test_a_result_whose_name_is_too_long_is_told_in_one_line(serve: Serve, photo: Photo, tmp_path: Path) -> None:
    target = tmp_path / f"{'x' * 300}.png"
    result = remove("-", "-o", target, url=serve().url, stdin=photo())
    assert (result.exit_code, result.stderr) == (1, f"error: cannot write {target} (File name too long)\n")


def test_an_error_is_one_line_and_no_traceback(serve: Serve, tmp_path: Path) -> None:
    source = tmp_path / "photo.jpg"
    source.write_text("no image")
    result = remove(source, "-o", tmp_path / "cutout.png", url=serve().url)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: got 8 bytes")
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "cutout.png").exists()


def test_a_server_that_is_gone_is_told_with_its_address(serve: Serve, photo: Photo) -> None:
    gone = serve()
    gone.stop()
    result = remove("-", "-o", "-", url=gone.url, stdin=photo())
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: the server at {gone.url} answered UNAVAILABLE")


def test_the_address_may_come_from_the_environment(serve: Serve, photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    monkeypatch.setenv("ALPHACUT_URL", server.url)
    assert remove("-", "-o", "-", stdin=photo()).exit_code == 0
    assert len(server.requests) == 1


def test_an_image_is_never_overwritten_by_its_own_cut_out(serve: Serve, photo: Photo, tmp_path: Path) -> None:
    source = tmp_path / "photo.png"
    source.write_bytes(photo())
    result = remove(source, "-o", source, url=serve().url)
    assert result.exit_code == 1
    assert "would overwrite" in result.stderr
    assert source.read_bytes() == photo()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["photo.png", "-o", "cutout.bmp"], "must end in .png or .webp or .avif or .jpg or .jpeg; got cutout.bmp"),
        (["photo.png", "-o", "cutout.jpg"], "which knows no transparency, without an opaque background"),
        (["photo.png", "-o", "cutout.jpg", "--background", "#ffffff80"], "without an opaque background"),
        (["photo.png", "-o", "cutout.png", "--quality", "80"], "got quality for a lossless file"),
        (
            ["photo.png", "-o", "cutout.png", "--background", "gradient:red"],
            "give two colours, as in gradient:red,blue",
        ),
        (["photo.png", "-o", "cutout.png", "--background", "blur:much"], "got 'much' where a number is needed"),
        (["photo.png", "-o", "cutout.png", "--background", "red", "--background-image", "photo.png"], "leave one of"),
        (["photo.png", "-o", "cutout.png", "--crop", "5"], "such as 20px or 5%"),
        (["photo.png", "-o", "cutout.png", "--erode", "-1"], "got erode_px=-1"),
        (["photo.png", "-o", "cutout.png", "--refine", "--band", "0"], "got refine.band_px=0"),
        (["photo.png", "-o", "cutout.png", "--refine", "--matting"], "leave one of them out"),
        (["photo.png", "-o", "cutout.png", "--trimap", "photo.png"], "in a trimap; allowed are 0 background"),
        (["photo.png", "-o", "cutout.png", "--format", "webp"], "leave one of them out"),
        (["photo.png", "-o", "cutout.png", "--background", "nocolour"], "got the colour 'nocolour'; give a name"),
        (["photo.png", "-o", "cutout.png", "--mask", "--background", "red"], "--mask leaves nothing to"),
        (["photo.png", "-o", "cutout.png", "--timeout", "0.001"], "not in the range 0.05<=x<=86400"),
        (["photo.png", "-o", "cutout.png", "--timeout", "inf"], "not in the range 0.05<=x<=86400"),
        (["photo.png", "-o", "cutout.png", "--timeout", "nan"], "'--timeout': got nan; give a number"),
        (["photo.png", "-o", "cutout.png", "--retry-for", "nan"], "'--retry-for': got nan; give a number"),
        (["missing.png", "-o", "cutout.png"], "does not exist"),
        ([".", "-o", "photo.png"], "INPUT is a folder"),
        ([".", "-o", "-"], "INPUT is a folder"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_usage(
    arguments: list[str], told: str, photo: Photo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(photo())
    result = remove(*arguments, url="127.0.0.1:1")
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


def test_ctrl_c_ends_at_once_and_leaves_no_half_written_file(serve: Serve, hang: Any, photos: Path) -> None:
    target = photos.parent / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "alphacut_client", "remove", photos, "-o", target, "--url", serve(hang).url],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert hang.arrived.wait(60)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "Traceback" not in stderr
    assert not [path for path in photos.parent.rglob("*.part")]
    assert hang.left.wait(20)


def test_the_servers_own_words_reach_the_user(serve: Serve, photo: Photo) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        context.abort(grpc.StatusCode.INTERNAL, AlphacutError("the engine has lost its mind").to_wire())

    result = remove("-", "-o", "-", url=serve(answer).url, stdin=photo())
    assert (result.exit_code, result.stderr) == (1, "error: the engine has lost its mind\n")
