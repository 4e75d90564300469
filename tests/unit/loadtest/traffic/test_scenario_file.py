from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from alphacut_core import bundled
from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest.traffic import scenario_file
from alphacut_loadtest.traffic.scenario import Scenario, protocol_of

LANES = """[[lanes]]
name = "visitors"
share = 1.0
"""
GOOD = f"""
slo = "p95=1s"
stages = [{{ duration_s = 5, rate = 1.0 }}]
{LANES}"""
NAMES = sorted(path.stem for path in bundled.SCENARIOS.glob("*.toml"))


def test_there_is_a_scenario_for_each_question() -> None:
    assert set(NAMES) >= {"smoke", "steady", "step", "spike", "soak", "mixed", "overload", "recovery"}


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_survives_the_way_to_another_process(name: str, tmp_path: Path) -> None:
    scenario = scenario_file.load(name)
    assert scenario.about
    (tmp_path / f"{name}.json").write_text(scenario_file.to_json(scenario))
    assert scenario_file.load(str(tmp_path / f"{name}.json")) == scenario


def test_the_realistic_mix_asks_for_every_tier_and_the_tiers_of_all_lanes_count() -> None:
    assert scenario_file.load("mixed").modes == ("full", "medium", "lite")
    assert scenario_file.load("steady").modes == ("full",)


def test_a_name_that_is_none_lists_those_that_are() -> None:
    with pytest.raises(InvalidOptionError, match="there are mixed, overload"):
        scenario_file.load("nothing")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("share = 1.0", "shares = 1.0", "allowed are name, mix, share, callers"),
        ('name = "visitors"\n', "", "found no 'name' in a lane; give name"),
        ("share = 1.0", "share = 2.0", "above 0 and up to 1"),
        ("share = 1.0", "share = 1.0\ncallers = 2", "either a share"),
        ('slo = "p95=1s"', "", "found no 'slo'"),
        ("rate = 1.0", "rate = -1.0", "rate of 0 or more"),
        ("rate = 1.0", 'rate = "fast"', "got rate = 'fast' in a stage; give a number"),
        ("stages", "warmup_s = 9\nstages", "give less than that"),
        ("stages", 'protocol = "carrier pigeon"\nstages', "allowed are grpc, gateway"),
        ("share = 1.0", "share = 1.0\nmix = { modes = { tiny = 1 } }", "allowed are full, medium, lite"),
        ("share = 1.0", "share = 1.0\nmix = { decodes = { slow = 1 } }", "allowed are exact, fast"),
        ("share = 1.0", "share = 1.0\nmix = { uploads = { raw = 1 } }", "allowed are encoded, pixels"),
        ("share = 1.0", "share = 1.0\nmix = { uploads = { pixels = 1 }, corrupt = 0.1 }", "a lane of their own"),
        (
            "share = 1.0",
            "share = 1.0\nmix = { uploads = { pixels = 1 }, answers = { cutout = 1 } }",
            "masks of whole pictures",
        ),
        ("share = 1.0", "share = 1.0\nmix = { sizes = { big = 1 } }", "as in 640x427"),
        ("share = 1.0", "share = 1.0\nmix = { corrupt = 2 }", "share from 0 to 1"),
        ("share = 1.0", "share = 1.0\nmix = { formats = {} }", "without a share above 0"),
        ("[[lanes]]", "[[lanes", "cannot be read"),
        ("stages = [{ duration_s = 5, rate = 1.0 }]", "stages = 5", "got 5 for stages; give a list of tables"),
        ("stages = [{ duration_s = 5, rate = 1.0 }]", "stages = [5]", "got 5 for a stage; give a table"),
        ("stages = [{ duration_s = 5, rate = 1.0 }]", 'stages = "all"', "got 'all' for stages; give a list of tables"),
        (LANES, "lanes = 5", "got 5 for lanes; give a list of tables"),
        ("stages", "gateway = 5\nstages", "got 5 for gateway; give a table"),
        ("share = 1.0", "share = 1.0\nmix = { sizes = 5 }", "got 5 for sizes; give a table"),
        ("share = 1.0", "share = 1.0\nmix = { formats = 5 }", "got 5 for formats; give a table"),
        ("share = 1.0", 'share = "1"', "got share = '1' in a lane; give a number"),
        ("rate = 1.0", "rate = true", "got rate = True in a stage; give a number"),
        ("stages", 'warmup_s = "5s"\nstages', "got warmup_s = '5s' in the scenario; give a number"),
        ("stages", "name = 5\nstages", "got name = 5 in the scenario; give a text in quotes"),
        ("share = 1.0", 'share = 1.0\nmix = { corrupt = "3%" }', "got corrupt = '3%' in a mix; give a number"),
        (
            "share = 1.0",
            'share = 1.0\nmix = { modes = { full = "8" } }',
            "got full = '8' in modes of a mix; give a number",
        ),
        ("share = 1.0", 'share = 1.0\nmix = { sizes = { "²x³" = 1 } }', "as in 640x427"),
        ("share = 1.0", "callers = 2.5", "got callers=2.5; allowed are whole numbers from 0"),
        ("share = 1.0", "callers = -1", "got callers=-1; allowed are whole numbers from 0"),
        ("share = 1.0", "share = nan", "either a share"),
        ("rate = 1.0", "rate = nan", "a finite rate"),
        ("rate = 1.0", "rate = inf", "a finite rate"),
        ("duration_s = 5", "duration_s = inf", "a finite duration"),
        ("stages", "timeout_s = nan\nstages", "got timeout_s=nan; allowed are numbers from 0.05 to 86400"),
        ("stages", "warmup_s = nan\nstages", "give less than that"),
        ("share = 1.0", "share = 1.0\nmix = { sizes = { 64x48 = nan } }", "not finite"),
        ("share = 1.0", "share = 1.0\nmix = { modes = { full = inf } }", "not finite"),
        ("stages", 'name = "a/b"\nstages', "without slashes"),
    ],
)
def test_a_mistake_is_told_with_what_is_allowed(old: str, new: str, told: str, tmp_path: Path) -> None:
    assert old in GOOD
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert scenario_file.load(str(path)).name == "mine"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(InvalidOptionError, match=told):
        scenario_file.load(str(path))


def test_shares_of_the_rate_are_one_altogether_however_they_are_rounded() -> None:
    steady = scenario_file.load("steady")

    def shared(*shares: float) -> Scenario:
        lanes = [dataclasses.replace(steady.lanes[0], name=str(number), share=one) for number, one in enumerate(shares)]
        return dataclasses.replace(steady, lanes=tuple(lanes))

    for allowed in ((0.1,) * 10, (0.7, 0.2, 0.1), (1 / 3,) * 3, (0.3, 0.3)):
        assert len(shared(*allowed).lanes) == len(allowed)
    with pytest.raises(InvalidOptionError, match=r"add up to 1\.5 in scenario 'steady'; give shares of 1 altogether"):
        shared(1.0, 0.5)


def test_pixels_are_for_triton_and_no_gateway() -> None:
    pixels = scenario_file.load("steady-pixels")
    assert pixels.lanes[0].mix.sends_pixels
    assert not scenario_file.load("steady").lanes[0].mix.sends_pixels
    with pytest.raises(InvalidOptionError, match="a gateway takes files"):
        dataclasses.replace(pixels, protocol=protocol_of("https://cut.example"))
    assert dataclasses.replace(pixels, protocol=protocol_of("grpc://127.0.0.1:8001")) == pixels
