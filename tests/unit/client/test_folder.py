"""Which file becomes which; nothing is overwritten silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from alphacut_client import folder
from alphacut_core.errors import InputError


def fill(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def planned(source: Path, target: Path) -> dict[str, str]:
    jobs = folder.plan(source, target, ".png")
    return {job.source.relative_to(source).as_posix(): job.target.relative_to(target).as_posix() for job in jobs}


def test_the_structure_is_kept_and_only_images_are_taken(tmp_path: Path) -> None:
    fill(tmp_path / "in", "a.jpg", "sub/b.WEBP", "sub/deep/c.tiff", "notes.txt", ".hidden.jpg", ".git/d.jpg", "e")
    assert planned(tmp_path / "in", tmp_path / "out") == {
        "a.jpg": "a.png",
        "sub/b.WEBP": "sub/b.png",
        "sub/deep/c.tiff": "sub/deep/c.png",
    }


def test_images_that_would_share_a_result_keep_their_full_names(tmp_path: Path) -> None:
    fill(tmp_path / "in", "a.jpg", "a.png", "b.jpg", "sub/a.jpg")
    assert planned(tmp_path / "in", tmp_path / "out") == {
        "a.jpg": "a.jpg.png",
        "a.png": "a.png.png",
        "b.jpg": "b.png",
        "sub/a.jpg": "sub/a.png",
    }


def test_a_full_name_that_is_taken_too_is_an_error_that_names_both(tmp_path: Path) -> None:
    fill(tmp_path / "in", "a.jpg", "a.png", "a.jpg.webp")
    with pytest.raises(InputError, match=r"a\.jpg and .*a\.jpg\.webp would both become .*a\.jpg\.png"):
        folder.plan(tmp_path / "in", tmp_path / "out", ".png")


def test_results_inside_the_source_are_not_taken_for_images(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", "out/a.png", "out/sub/b.png", "other/out/c.jpg")
    assert list(planned(tmp_path, tmp_path / "out")) == ["a.jpg", "other/out/c.jpg"]


def test_results_never_go_among_their_sources(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="name another folder"):
        folder.plan(tmp_path, tmp_path / "link", ".png")


def test_a_result_never_overwrites_an_image(tmp_path: Path) -> None:
    fill(tmp_path, "in/a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").symlink_to(tmp_path / "in" / "a.png")
    with pytest.raises(InputError, match="would overwrite the image"):
        folder.plan(tmp_path / "in", tmp_path / "out", ".png")


def test_a_folder_without_images_says_what_it_looked_for(tmp_path: Path) -> None:
    fill(tmp_path / "in", "notes.txt")
    with pytest.raises(InputError, match=r"found no image below .*\.jpg"):
        folder.plan(tmp_path / "in", tmp_path / "out", ".png")


def test_a_job_is_finished_when_its_result_has_content(tmp_path: Path) -> None:
    job = folder.Job(tmp_path / "a.jpg", tmp_path / "a.png")
    assert not job.finished
    job.target.touch()
    assert not job.finished
    job.target.write_bytes(b"x")
    assert job.finished
