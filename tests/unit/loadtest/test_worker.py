"""Orders as the contender's process carries them out."""

from __future__ import annotations

from pathlib import Path

from alphacut_loadtest.bench import worker
from alphacut_loadtest.bench.subject import Call, Subject


class Reverser(Subject):
    """Reverses bytes and counts its calls as a second of work each."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def call(self, contender: str, concurrency: int) -> Call:
        def reverse(data: bytes) -> bytes:
            self.calls += 1
            return data[::-1]

        return reverse

    def versions(self) -> dict[str, str]:
        return {}

    def stages_s(self) -> dict[str, float]:
        return {"reverse": float(self.calls), "rest": 7.0}


def test_a_run_reports_what_its_calls_took_and_nothing_of_what_was_before() -> None:
    subject = Reverser()
    for _ in range(2):
        done = worker._run(subject, [b"ab", b"cd"], contender="x", concurrency=1, passes=3, only_first=False)
    assert len(done["latencies_s"]) == 6
    assert done["wall_s"] > 0
    assert done["stages_s"] == {"reverse": 6.0}


def test_a_warm_up_takes_the_first_picture_only() -> None:
    done = worker._run(Reverser(), [b"ab", b"cd"], contender="x", concurrency=1, passes=2, only_first=True)
    assert [picture for picture, _ in done["latencies_s"]] == [0, 0]


def test_an_answer_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "answer"
    worker._answer(Reverser(), [b"ab", b"cd"], contender="x", concurrency=1, picture=1, path=str(path))
    assert path.read_bytes() == b"dc"
