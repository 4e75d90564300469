from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from alphacut_loadtest.generator import records
from alphacut_loadtest.generator.outcome import Outcome
from alphacut_loadtest.generator.session import Session
from alphacut_loadtest.traffic import scenario_file
from alphacut_loadtest.traffic.corpus import Corpus
from alphacut_loadtest.traffic.mix import Mix, Size


@pytest.mark.parametrize("url", ["grpc://127.0.0.1:9/", "grpcs://127.0.0.1:9"])
def test_a_request_that_cannot_even_be_sent_is_in_the_books_with_its_reason(url: str, tmp_path: Path) -> None:
    fired: list[dict[str, object]] = []
    environment = SimpleNamespace(
        events=SimpleNamespace(request=SimpleNamespace(fire=lambda **told: fired.append(told))), runner=None
    )
    scenario = scenario_file.load("steady")
    (lane,) = scenario.lanes
    corpora = {lane.name: Corpus(Mix(sizes={Size(64, 48): 1.0}))}
    session = Session(environment, scenario, corpora, url, rate_per_s=1.0, sources=1, seed=0, records=tmp_path)
    session.ask_again(lane)
    session.close()
    samples, (process,) = records.read(tmp_path)
    assert samples.that(Outcome.FAILED).tolist() == [True]
    assert "give host and port" in process.words["failed"]
    assert str(fired[0]["exception"]) == "failed"
