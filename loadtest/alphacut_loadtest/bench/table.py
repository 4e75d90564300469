"""A result as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from alphacut_loadtest.bench.contenders import CONTENDERS, SubjectName
from alphacut_loadtest.bench.memory import Footprint
from alphacut_loadtest.bench.result import Result
from alphacut_loadtest.bench.summary import Figures, Ratio, figures, latency_by_picture_s, ratios
from alphacut_loadtest.bench.targets import Outcome, times

_BY_SIZE = ("rembg-mask", "mask-encoded", "mask-fast", "mask-pixels")
_MIB = 2**20
_SUBJECTS = {contender.name: contender.subject for contender in CONTENDERS}


def markdown(result: Result) -> str:
    """Lay out ratios first, then the figures behind them."""
    sections = [
        f"# Bench of {result.created}",
        _origin(result),
        "## Targets",
        targets(result.outcomes()),
        "## Ratios",
        "How many times better in the same rounds: in images a second, in median latency (p50) and its 99th percentile "
        "(p99), and in processor seconds an image (CPU), which other work on the machine moves least; against rembg's "
        "two ways of doing the same and against the bare engine with decode. Median over the rounds, with lowest and "
        "highest.",
        _ratios(ratios(result.measurements)),
        "## Figures",
        "Median over the rounds, throughput with lowest and highest. CPU and memory are those of all processes, the "
        "client's included; memory is an upper bound, the sum of each process's peak.",
        _figures(figures(result.measurements)),
        *_memory(result.footprints),
        *_sizes(result),
        *_processes(figures(result.measurements)),
        *_stages(figures(result.measurements)),
        *_parity(result),
        "## Cold start",
        "rembg's includes compiling its matting by Numba when it runs for the first time in an environment.",
        table(("subject", "s to the first answer"), ([name, f"{s:.1f}"] for name, s in result.start_s.items())),
        *(f"{name} was left out: {reason}" for name, reason in result.left_out.items()),
    ]
    return "\n\n".join(sections) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, first column left, the others right."""
    rule = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def targets(outcomes: Iterable[Outcome]) -> str:
    """Return a row for each target, and for each contender where several were measured."""
    verdicts = {True: "yes", False: "no", None: ""}
    rows = ([one.target, one.wanted, one.contender, one.measured, verdicts[one.met]] for one in outcomes)
    return table(("target", "wanted", "contender", "measured", "met"), rows)


def _origin(result: Result) -> str:
    machine, engine = result.machine, result.engine
    commit = "unknown commit"
    if result.commit is not None:
        commit = f"commit {result.commit.sha[:12]}" + (" with changes" if result.commit.changed else "")
    versions = (
        f"{subject} with " + ", ".join(f"{name} {version}" for name, version in known.items())
        for subject, known in result.versions.items()
    )
    return (
        f"{engine.model} in {engine.precision}, {commit}, on {machine.cores} cores of {machine.processor} "
        f"({', '.join(machine.flags) or 'no vector extensions'}), {machine.memory_bytes / 2**30:.0f} GiB, "
        f"{machine.system}, load before {machine.load_before}. Versions: {'; '.join(versions)}. "
        f"Pictures: {', '.join(picture.name for picture in result.pictures)}."
    )


def _ratios(rated: Sequence[Ratio]) -> str:
    """Lay out a row for each contender and concurrency, with a column for each thing worth knowing."""
    rows: dict[tuple[str, int], dict[SubjectName, Ratio]] = {}
    for one in rated:
        rows.setdefault((one.contender, one.concurrency), {})[_SUBJECTS[one.baseline]] = one
    columns: tuple[tuple[str, SubjectName, str], ...] = (
        ("rembg: throughput", "rembg", "throughput"),
        ("rembg: p50", "rembg", "p50"),
        ("rembg: CPU", "rembg", "cpu"),
        ("rembg s: throughput", "rembg-http", "throughput"),
        ("rembg s: p99", "rembg-http", "p99"),
        ("engine: throughput", "engine", "throughput"),
    )
    present = {subject for row in rows.values() for subject in row}
    shown = [column for column in columns if column[1] in present]
    body = (
        [name, str(callers), *(times(getattr(row[of], what)) if of in row else "" for _, of, what in shown)]
        for (name, callers), row in rows.items()
    )
    return table(("contender", "callers", *(title for title, _, _ in shown)), body)


def _figures(rows: Sequence[Figures]) -> str:
    head = ("contender", "callers", "images/s", "p50 ms", "p95 ms", "p99 ms", "CPU s/image", "peak MiB")
    return table(
        head,
        (
            [
                row.contender,
                str(row.concurrency),
                f"{row.images_per_s.median:.2f} ({row.images_per_s.low:.2f} to {row.images_per_s.high:.2f})",
                *(_ms(spread.median) for spread in (row.p50_s, row.p95_s, row.p99_s)),
                f"{row.cpu_s_per_image.median:.3f}",
                f"{row.peak_rss_bytes.median / _MIB:.0f}",
            ]
            for row in rows
        ),
    )


def _memory(footprints: Sequence[Footprint]) -> list[str]:
    """Show the most that was seen in turns that were not timed, process by process."""
    if not footprints:
        return []
    head = ("contender", "callers", "server PSS", "server RSS", "with client PSS", "with client RSS", "each, PSS / RSS")
    rows = (
        [
            one.contender,
            str(one.concurrency),
            *(
                _mb(size) if size else ""
                for memory in (one.server, one.everything)
                for size in (memory.pss_bytes, memory.rss_bytes)
            ),
            ", ".join(f"{name} {_mb(it.pss_bytes)} / {_mb(it.rss_bytes)}" for name, it in one.processes.items()),
        ]
        for one in footprints
    )
    note = (
        "The most at one moment, looked at 20 times a second in turns of their own. The server is all processes but "
        "the client's: supervisor, Triton, stubs. PSS divides a page among those who share it and is held against the "
        "target; RSS counts it in each of them."
    )
    return ["## Memory, MB", note, table(head, rows)]


def _sizes(result: Result) -> list[str]:
    """Show what size costs, where single callers were measured."""
    alone = {name: latency_by_picture_s(result.measurements, name, 1) for name in _BY_SIZE}
    shown = [name for name in _BY_SIZE if alone[name]]
    if not shown:
        return []
    rows = (
        [picture.name, f"{picture.width * picture.height / 1e6:.1f}", *(_ms(alone[name][number]) for name in shown)]
        for number, picture in enumerate(result.pictures)
    )
    return ["## Median latency by picture, one caller, ms", table(("picture", "megapixels", *shown), rows)]


def _processes(rows: Sequence[Figures]) -> list[str]:
    """Show whose processor time an image costs, for those of several processes."""
    note = (
        "Of two saturated cores this is all there is to share out. Client is everything in the caller's process; a "
        "stub is the process of one step. Linux counts in hundredths of a second, so short turns are rough."
    )
    several = [row for row in rows if len(row.cpu_s_per_image_by_process) > 1]
    sections = _by_concurrency("process", several, lambda row: row.cpu_s_per_image_by_process)
    return ["## Processor time, ms an image", note, *sections] if sections else []


def _stages(rows: Sequence[Figures]) -> list[str]:
    """Show where the time goes, for those who have clocks."""
    note = (
        "The server's stages happen while the client waits. With several callers a stage includes its waiting for a "
        "core."
    )
    clocked = [row for row in rows if row.stages_s_per_image]
    sections = _by_concurrency("stage", clocked, lambda row: row.stages_s_per_image)
    return ["## Stages, ms an image", note, *sections] if sections else []


def _by_concurrency(
    title: str, rows: Sequence[Figures], shares_s: Callable[[Figures], Mapping[str, float]]
) -> list[str]:
    """Lay out a table for each concurrency: a row for each name, a column for each contender."""
    sections = []
    for callers in sorted({row.concurrency for row in rows}):
        shown = [row for row in rows if row.concurrency == callers]
        seen = list(dict.fromkeys(name for row in shown for name in shares_s(row)))
        # By place (client, models), and in the order of time within.
        names = sorted(seen, key=lambda name: (name.partition(":")[0], seen.index(name)))
        body = [[name, *(_ms(shares_s(row)[name]) if name in shares_s(row) else "" for row in shown)] for name in names]
        sections += [f"{_callers(callers)}:", table((title, *(row.contender for row in shown)), body)]
    return sections


def _callers(number: int) -> str:
    return "One caller" if number == 1 else f"{number} callers"


def _parity(result: Result) -> list[str]:
    if not result.parity:
        return ["## Masks", "Not checked: that needs rembg."]
    head = ("contender", "mean difference of 255", "mean IoU", "worst IoU", "worst picture", "within")
    rows = (
        [
            one.contender,
            f"{one.mean_difference:.3f}",
            f"{one.mean_iou:.4f}",
            f"{one.worst_iou:.4f}",
            one.worst,
            "yes" if one.within else "NO",
        ]
        for one in result.parity
    )
    return [
        "## Masks",
        f"Against rembg's on the same pictures, full size, and whether they are within the gate of "
        f"{result.engine.precision}.",
        table(head, rows),
    ]


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.0f}"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f}" if seconds < 0.1 else f"{1000 * seconds:.0f}"
