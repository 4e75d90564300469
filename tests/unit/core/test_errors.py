"""The tree of errors, and its way over the wire."""

from __future__ import annotations

import http
import pickle
import re

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphacut_core import errors
from alphacut_core.errors import AlphacutError


def tree(root: type[AlphacutError]) -> dict[str, str]:
    """Return every class below ``root`` that core defines, with its parent."""
    found = {}
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            found |= {child.__name__: root.__name__} | tree(child)
    return found


def drawn_tree() -> dict[str, str]:
    """Read the tree that the module's docstring draws: every class with its parent."""
    drawn, path = {}, []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│├└─ ]*)(\w+Error)\b", line)
        if found is None:
            continue
        path = [*path[: len(found[1]) // 4], found[2]]
        if len(path) > 1:
            drawn[path[-1]] = path[-2]
    return drawn


CLASSES = [AlphacutError, *(getattr(errors, name) for name in tree(AlphacutError))]


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    assert drawn_tree() == tree(AlphacutError)
    assert len(drawn_tree()) == 21


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_states_its_place_on_the_wire(kind: type[AlphacutError]) -> None:
    assert "code" in vars(kind)
    assert kind.grpc_status in grpc.StatusCode.__members__
    assert kind.http_status in set(http.HTTPStatus)
    assert kind.http_status >= 400
    assert kind.__doc__


def test_codes_are_unique() -> None:
    assert len({kind.code for kind in CLASSES}) == len(CLASSES)


def test_a_class_that_reuses_a_code_cannot_be_defined() -> None:
    with pytest.raises(TypeError, match="Second reuses the wire code of EmptyImageError: 'image-empty'"):
        type("Second", (AlphacutError,), {"code": "image-empty"})


def test_input_at_fault_is_never_retried() -> None:
    assert not any(kind.retryable for kind in CLASSES if issubclass(kind, errors.InputError))
    assert errors.UnavailableError.retryable


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize(
    "around",
    ["{}", "in ensemble 'remove_background', {}", "Failed to process the request(s) for model 'preprocess_0_0': {}"],
)
def test_the_client_gets_the_class_and_message_that_the_server_raised(kind: type[AlphacutError], around: str) -> None:
    received = AlphacutError.from_wire(around.format(kind("got 3: [x]\nallowed are 4; send 4").to_wire()))
    assert type(received) is kind
    assert str(received) == "got 3: [x]\nallowed are 4; send 4"


@given(message=st.text())
def test_every_message_survives_the_wire(message: str) -> None:
    assert str(AlphacutError.from_wire(errors.InputError(message).to_wire())) == message


@pytest.mark.parametrize("text", ["", "connection refused", "[alphacut:] x", "[alphacut:INPUT] x", "[other:input] x"])
def test_a_text_without_a_code_is_no_error_of_ours(text: str) -> None:
    assert AlphacutError.from_wire(text) is None


def test_a_code_that_only_a_newer_server_knows_becomes_the_root() -> None:
    received = AlphacutError.from_wire("[alphacut:from-the-future] sorry")
    assert type(received) is AlphacutError
    assert str(received) == "sorry"


def test_an_error_says_which_image_of_a_batch_it_means() -> None:
    error = errors.InputError("got nothing")
    assert str(error) == "got nothing"
    error.index = 7
    assert str(error) == "image 7 of the batch: got nothing"


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_cross_processes_whole(kind: type[AlphacutError]) -> None:
    error = kind("got 3")
    error.index = 2
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  our own
    assert type(copy) is kind
    assert (str(copy), copy.index) == (str(error), 2)
