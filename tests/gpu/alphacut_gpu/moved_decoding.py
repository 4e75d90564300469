"""What it would gain to decode and resize on the GPU: computed from parts, not measured."""

from __future__ import annotations

from dataclasses import dataclass

from alphacut_gpu import bottleneck
from alphacut_gpu.bottleneck import Found

_ON_GPU = ("nvImageCodec", "DALI")


@dataclass(frozen=True, slots=True)
class Gain:
    """What would become of the throughput.

    Attributes:
        decoder: What would decode.
        least_per_s: Images a second if decoder and engine took turns on the GPU.
        most_per_s: If neither slowed the other, as where a GPU has decoders of its own.
        seen_per_s: What was seen with the processors decoding.
        sentence: The arithmetic.
    """

    decoder: str
    least_per_s: float
    most_per_s: float
    seen_per_s: float
    sentence: str


def compute(found: Found) -> Gain | str:
    """Return the gain by the faster decoder, or which number is missing to compute it."""
    ways = found.get("decoding", {}).get("ways", {})
    rates = {name: ways[name]["images_per_s"] for name in _ON_GPU if ways.get(name, {}).get("images_per_s")}
    engine = bottleneck.engine_per_s(found)
    around = found.get("around", {}).get("ways", {}).get("squares of pixels", {}).get("images_per_s")
    seen = {one.way: one.seen_per_s for one in bottleneck.find(found)}.get("files")
    if not rates:
        return "not computed: neither nvImageCodec nor DALI decoded on a GPU here"
    if not (engine and around and seen):
        lacks = (("the served engine alone", engine), ("the way around it with squares", around), ("serving", seen))
        return f"not computed: not measured here: {', '.join(name for name, value in lacks if not value)}"
    name = max(rates, key=lambda decoder: rates[decoder])
    decoder = rates[name]
    turns = 1 / (1 / decoder + 1 / engine)
    least, most = min(turns, around), min(decoder, engine, around)
    sentence = (
        f"Computed, not measured: {name} decodes and resizes {decoder:,.0f} images/s on the GPU, the engine makes "
        f"{engine:,.0f}; taking turns they make 1 / (1/{decoder:,.0f} + 1/{engine:,.0f}) = {turns:,.0f}, and side by "
        f"side at most {min(decoder, engine):,.0f}; the processors allow {around:,.0f} where they decode nothing. "
        f"So {least:,.0f} to {most:,.0f} images/s, {least / seen:.2g} to {most / seen:.2g} times the {seen:,.0f} seen "
        f"with files. The decoder's pictures are {found['decoding'].get('pictures')}; those sent are mostly smaller."
    )
    return Gain(name, least, most, seen, sentence)
