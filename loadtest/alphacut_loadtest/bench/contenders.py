"""Who competes, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from alphacut_core.errors import InvalidOptionError

SubjectName = Literal["rembg", "rembg-http", "alphacut", "engine"]
Task = Literal["mask", "cutout"]
Answer = Literal["file", "square"]


@dataclass(frozen=True, slots=True)
class Contender:
    """One way from the bytes of an image file to an answer.

    Attributes:
        name: How options and results call it.
        title: What it does.
        subject: Which process does it; see ``worker``.
        task: What it makes: only the same tasks are compared.
        answer: ``file`` is an encoded picture at full size, ``square`` the engine's raw mask.
    """

    name: str
    title: str
    subject: SubjectName
    task: Task
    answer: Answer = "file"


CONTENDERS = (
    Contender("rembg-mask", "rembg in process, only_mask", "rembg", "mask"),
    Contender("rembg-cutout", "rembg in process, remove(bytes)", "rembg", "cutout"),
    Contender("rembg-http-mask", "rembg s, om=true", "rembg-http", "mask"),
    Contender("rembg-http-cutout", "rembg s", "rembg-http", "cutout"),
    Contender("mask-encoded", "Alphacut, file uploaded, mask as PNG", "alphacut", "mask"),
    Contender("mask-fast", "the same with decode='fast'", "alphacut", "mask"),
    Contender("mask-pixels", "Alphacut, caller decodes, pixels uploaded, mask as PNG", "alphacut", "mask"),
    Contender("cutout-client", "Alphacut, client composites, PNG", "alphacut", "cutout"),
    Contender("cutout-server-png", "Alphacut, server renders PNG", "alphacut", "cutout"),
    Contender("cutout-server-webp", "Alphacut, server renders WebP", "alphacut", "cutout"),
    Contender("engine", "bare engine, pictures decoded beforehand", "engine", "mask", "square"),
    Contender("engine-decode", "bare engine with decode and resize", "engine", "mask", "square"),
)
REFERENCE = CONTENDERS[0]
"""Its masks are the ones that all others are held against."""

LIMIT = "engine-decode"
"""What Triton, gRPC and codecs would reach if they cost nothing."""


def choose(names: str | None) -> tuple[Contender, ...]:
    """Return the contenders that a comma-separated list names; all of them for None.

    Raises:
        InvalidOptionError: There is none of that name.
    """
    if names is None:
        return CONTENDERS
    wanted = [name.strip() for name in names.split(",")]
    known = {contender.name: contender for contender in CONTENDERS}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise InvalidOptionError(f"got contender {unknown[0]!r}; allowed are {', '.join(known)}")
    return tuple(contender for contender in CONTENDERS if contender.name in wanted)
