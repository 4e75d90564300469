"""Every error Alphacut raises, in one tree.

    AlphacutError
    ├── InputError                the caller's data; never worth a retry
    │   ├── EmptyImageError       no bytes at all
    │   ├── UnsupportedImageError a format or pixel layout that is not accepted
    │   ├── UndecodableImageError an accepted format, but broken data
    │   ├── ImageTooLargeError    over the limit of bytes or pixels
    │   ├── InvalidOptionError    an option that does not exist or does not fit
    │   └── UnknownModelError     a network or tier that the server does not serve
    ├── NoSubjectError            the picture is good, and nothing in it is a subject
    ├── RefinementError           the mask is good, the asked refinement cannot be made of it
    ├── MissingLibraryError       an optional library is not installed where the work happens
    ├── ContractError             two parts of one deployment do not fit together
    ├── ServerError               the way to the model, or the model
    │   ├── UnavailableError      nobody answers (retry helps)
    │   ├── OverloadedError       the queue is full (come back later)
    │   ├── DeadlineError         no answer in time
    │   └── InferenceError        the server failed on this request
    ├── ServerStartError          the embedded server did not come up
    └── EngineError               building or checking an engine failed
        ├── EngineSourceError     the network given cannot be used
        ├── EngineBuildError      a stage of the build failed
        └── EngineParityError     the engine's masks differ too much from the reference

A class knows its place on the wire: ``code`` travels inside the message of a gRPC error, so that the
client raises the very class that the server raised. ``grpc_status`` and ``http_status`` say how servers
report it, ``retryable`` whether the same request, sent again at once, can succeed.
"""

from __future__ import annotations

import re
from typing import ClassVar

_WIRE = re.compile(r"\[alphacut:(?P<code>[a-z-]+)\] (?P<message>.*)", re.DOTALL)
_BY_CODE: dict[str, type[AlphacutError]] = {}
_MAX_REASON_CHARACTERS = 200


def reason(error: BaseException) -> str:
    """Return what a library's error says, shortened: it may hold the caller's data, at any length."""
    return str(error)[:_MAX_REASON_CHARACTERS]


class AlphacutError(Exception):
    """Root of all errors; ``str(error)`` says what was got, what is allowed and what to do next.

    Attributes:
        index: Which image of a batch failed, counted from 0; None outside batches.
    """

    index: int | None = None
    code: ClassVar[str] = "internal"
    grpc_status: ClassVar[str] = "INTERNAL"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Register the class under its wire code; codes are unique."""
        taken_by = _BY_CODE.setdefault(cls.code, cls)
        if taken_by is not cls and "code" in cls.__dict__:
            raise TypeError(f"{cls.__name__} reuses the wire code of {taken_by.__name__}: {cls.code!r}")

    def __str__(self) -> str:
        message = super().__str__()
        return message if self.index is None else f"image {self.index} of the batch: {message}"

    def to_wire(self) -> str:
        """Return the message with the code in front, for transports that carry only text."""
        return f"[alphacut:{self.code}] {self}"

    @staticmethod
    def from_wire(message: str) -> AlphacutError | None:
        """Return the error that ``to_wire`` wrote, wherever it stands in ``message``, or None."""
        found = _WIRE.search(message)
        if found is None:
            return None
        return _BY_CODE.get(found["code"], AlphacutError)(found["message"])


_BY_CODE[AlphacutError.code] = AlphacutError


class InputError(AlphacutError):
    """The caller's data is at fault; the same data will fail again."""

    code = "input"
    grpc_status = "INVALID_ARGUMENT"
    http_status = 400


class EmptyImageError(InputError):
    """No bytes were given."""

    code = "image-empty"


class UnsupportedImageError(InputError):
    """The format or pixel layout is not accepted."""

    code = "image-unsupported"
    http_status = 415


class UndecodableImageError(InputError):
    """The format is accepted but the data is broken or cut off."""

    code = "image-undecodable"


class ImageTooLargeError(InputError):
    """The file or its pixels exceed the limits."""

    code = "image-too-large"
    http_status = 413


class InvalidOptionError(InputError):
    """An option is unknown, of the wrong type, or out of range."""

    code = "option-invalid"
    http_status = 422


class UnknownModelError(InputError):
    """The server serves no network of that name, or not at that tier."""

    code = "model-unknown"
    grpc_status = "NOT_FOUND"
    http_status = 404


class NoSubjectError(AlphacutError):
    """Nothing in the picture is a subject, and the caller asked for one."""

    code = "no-subject"
    grpc_status = "INVALID_ARGUMENT"
    http_status = 422


class RefinementError(AlphacutError):
    """The refinement that was asked for cannot be made of this mask."""

    code = "refinement"
    grpc_status = "INVALID_ARGUMENT"
    http_status = 422


class MissingLibraryError(AlphacutError):
    """An optional library is missing where the work happens."""

    code = "library-missing"
    grpc_status = "UNIMPLEMENTED"
    http_status = 501


class ContractError(AlphacutError):
    """Two parts of one deployment disagree: versions, tensor names, shapes."""

    code = "contract"


class ServerError(AlphacutError):
    """The server, or the way to it, is at fault."""

    code = "server"
    http_status = 502


class UnavailableError(ServerError):
    """Nobody answers; a retry can help."""

    code = "unavailable"
    grpc_status = "UNAVAILABLE"
    http_status = 503
    retryable = True


class OverloadedError(ServerError):
    """The server refuses work for now; retry later, not at once.

    Attributes:
        retry_after_s: When to come back, in seconds; an estimate where the server did not say.
    """

    retry_after_s: float = 1.0

    code = "overloaded"
    grpc_status = "UNAVAILABLE"
    http_status = 429


class DeadlineError(ServerError):
    """No answer within the deadline."""

    code = "deadline"
    grpc_status = "DEADLINE_EXCEEDED"
    http_status = 504


class InferenceError(ServerError):
    """The server failed on this request."""

    code = "inference"


class ServerStartError(AlphacutError):
    """The embedded server did not come up."""

    code = "server-start"


class EngineError(AlphacutError):
    """Building, checking or running an engine failed."""

    code = "engine"


class EngineSourceError(EngineError):
    """The network file given cannot be used."""

    code = "engine-source"


class EngineBuildError(EngineError):
    """A stage of the build failed."""

    code = "engine-build"


class EngineParityError(EngineError):
    """The masks of an engine differ too much from the reference."""

    code = "engine-parity"
