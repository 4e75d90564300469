"""Which file becomes which; nothing is overwritten silently."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from alphacut_client import folder
from alphacut_core.errors import InputError


def fill(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def planned(source: Path, target: Path) -> dict[str, str]:
    jobs = folder.plan(source, target, ".png").jobs
    return {job.source.relative_to(source).as_posix(): job.target.relative_to(target).as_posix() for job in jobs}


def refused(source: Path, target: Path) -> dict[str, str]:
    found = folder.plan(source, target, ".png").refused
    return {path.relative_to(source).as_posix(): reason for path, reason in found.items()}


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


def test_a_linked_folder_is_taken_and_links_lead_into_no_circle(tmp_path: Path) -> None:
    fill(tmp_path, "in/sub/a.jpg", "elsewhere/b.jpg")
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "sub" / "up").symlink_to(tmp_path / "in")
    (tmp_path / "elsewhere" / "self").symlink_to(".")
    assert planned(tmp_path / "in", tmp_path / "out") == {"linked/b.jpg": "linked/b.png", "sub/a.jpg": "sub/a.png"}
    assert not refused(tmp_path / "in", tmp_path / "out")


def test_results_behind_a_link_are_not_taken_for_images(tmp_path: Path) -> None:
    fill(tmp_path, "in/a.jpg", "out/a.png")
    (tmp_path / "in" / "results").symlink_to(tmp_path / "out")
    assert list(planned(tmp_path / "in", tmp_path / "out")) == ["a.jpg"]


def test_what_is_called_like_an_image_and_is_no_file_is_refused_alone(tmp_path: Path) -> None:
    fill(tmp_path / "in", "a.jpg", "sub.jpg/b.jpg")
    os.mkfifo(tmp_path / "in" / "pipe.jpg")
    (tmp_path / "in" / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "in" / "nowhere.jpg").symlink_to("missing.jpg")
    (tmp_path / "in" / "nowhere").symlink_to("missing")
    assert list(planned(tmp_path / "in", tmp_path / "out")) == ["a.jpg", "sub.jpg/b.jpg"]
    assert refused(tmp_path / "in", tmp_path / "out") == {
        "loop.jpg": "got no regular file, nor a link to one that can be found (Too many levels of symbolic links); "
        "mend the link, or remove it",
        "nowhere.jpg": "got no regular file, nor a link to one; remove it",
        "pipe.jpg": "got no regular file, nor a link to one; remove it",
    }


def test_a_folder_that_cannot_be_listed_is_refused_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "in", "a.jpg", "closed/b.jpg", "open/c.jpg")
    listed = os.scandir

    def refuse(path: str | Path) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)  # root may list any folder
    assert list(planned(tmp_path / "in", tmp_path / "out")) == ["a.jpg", "open/c.jpg"]
    assert refused(tmp_path / "in", tmp_path / "out") == {
        "closed": "cannot list this folder (Permission denied); make it readable, or move it away"
    }


def test_a_folder_is_followed_once_however_many_images_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "in", *(f"{number}.jpg" for number in range(100)))
    follow, followed = os.path.realpath, []

    def realpath(path: Any, **options: bool) -> str:
        followed.append(path)
        return follow(path, **options)

    monkeypatch.setattr(os.path, "realpath", realpath)
    assert len(planned(tmp_path / "in", tmp_path / "out")) == 100
    assert len(followed) < 10


def test_a_job_whose_result_cannot_be_looked_at_is_not_finished(tmp_path: Path) -> None:
    assert not folder.Job(tmp_path / "a.jpg", tmp_path / f"{'x' * 300}.png").finished


def test_a_job_is_finished_when_its_result_has_content(tmp_path: Path) -> None:
    job = folder.Job(tmp_path / "a.jpg", tmp_path / "a.png")
    assert not job.finished
    job.target.touch()
    assert not job.finished
    job.target.write_bytes(b"x")
    assert job.finished
