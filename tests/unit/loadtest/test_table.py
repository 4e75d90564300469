"""What the reader of a result sees."""

from __future__ import annotations

from dataclasses import replace

from alphacut_loadtest.bench.result import Result
from alphacut_loadtest.bench.table import markdown, table


def row(text: str, *start: str) -> list[str]:
    """Return the cells of the one row that starts with ``start``."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    (found,) = [cells for cells in rows if tuple(cells[: len(start)]) == start]
    return found


def section(text: str, title: str) -> str:
    return text.partition(f"## {title}")[2].partition("\n## ")[0]


def test_a_table_is_markdown() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --: |\n| 1 | 2 |"


def test_ratios_stand_before_figures_with_their_spread(result: Result) -> None:
    text = markdown(result)
    assert text.index("## Ratios") < text.index("## Figures")
    ratios = section(text, "Ratios")
    assert row(ratios, "mask-encoded", "1")[2] == "6.00x (4.00 to 8.00)"
    assert row(ratios, "mask-encoded", "4")[4:6] == ["1.00x (1.00 to 1.00)", "12.00x (8.00 to 16.00)"]
    assert "engine: throughput" not in ratios


def test_figures_carry_their_units(result: Result) -> None:
    figures = section(markdown(result), "Figures")
    assert row(figures, "contender")[2:] == ["images/s", "p50 ms", "p95 ms", "p99 ms", "CPU s/image", "peak MiB"]
    assert row(figures, "rembg-mask", "4")[2:] == ["4.00 (4.00 to 4.00)", "1000", "1000", "1000", "0.500", "300"]


def test_each_picture_has_its_latency_smallest_first(result: Result) -> None:
    sizes = section(markdown(result), "Median latency by picture")
    assert row(sizes, "picture")[2:] == ["rembg-mask", "mask-encoded"]
    assert sizes.index("small.png") < sizes.index("large.jpg")
    assert row(sizes, "small.png")[2] == "1000"


def test_stages_are_shown_for_those_who_have_clocks(result: Result) -> None:
    stages = section(markdown(result), "Stages")
    assert stages.count("| stage | mask-encoded |") == 2
    assert "| client: wait | 100 |" in stages
    assert "| u2netp: queue | 50.0 |" in stages


def test_processor_time_is_shown_for_those_of_several_processes(result: Result) -> None:
    spent = section(markdown(result), "Processor time")
    assert spent.count("| process | mask-encoded |") == 2
    assert "| stub of u2netp | 400 |" in spent


def test_each_target_is_told_with_what_was_measured_or_what_would_measure_it(result: Result) -> None:
    text = markdown(result)
    assert text.index("## Targets") < text.index("## Ratios")
    shown = section(text, "Targets")
    assert row(shown, "median latency of a mask against rembg")[1:] == [
        ">= 4x, one caller", "mask-encoded", "6.00x (4.00 to 8.00)", "yes",
    ]  # fmt: skip
    assert row(shown, "cold start to the first answer")[2:] == ["", "not measured here; make bench-start does", ""]


def test_memory_is_told_of_server_and_of_each_process(result: Result) -> None:
    shown = row(section(markdown(result), "Memory"), "mask-encoded", "4")
    assert shown[2:6] == ["9", "20", "59", "80"]
    assert shown[6] == "client 50 / 60, tritonserver 9 / 20"


def test_masks_outside_the_gate_cannot_be_overlooked(result: Result) -> None:
    assert row(section(markdown(result), "Masks"), "mask-encoded")[-1] == "NO"
    assert "Not checked" in section(markdown(replace(result, parity=[])), "Masks")


def test_origin_and_absences_are_told(result: Result) -> None:
    text = markdown(result)
    for fact in ("commit 0123456789ab with changes", "2 cores of Xeon", "amx_bf16", "triton 2.51.0", "large.jpg"):
        assert fact in text
    assert "engine was left out: openvino is missing" in text
    assert "unknown commit" in markdown(replace(result, commit=None))
