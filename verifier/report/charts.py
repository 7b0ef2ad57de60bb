"""Bars and lines as inline SVG: readable in black and white, by patterns and labels, and by a screen reader."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

from markupsafe import Markup

from verifier.report.content import Coverage, LadderRow, PoolRow, ProfileRow
from verifier.report.visible import visible
from verifier.report.words import Words

WIDTH, LEFT, RIGHT = 760, 190, 560
ROW, BAR = 34, 20
HEIGHT, TOP, PLOT_LEFT = 190, 14, 8
DECIMALS = 6
RUNGS = ("at-once", "day", "week", "later")


class Segment(NamedTuple):
    """A part of a bar: units, the pattern that tells what it is, and the same in words."""

    units: int
    look: str
    word: str


class BarRow(NamedTuple):
    """One bar: its label, its parts, and what stands beside it."""

    label: str
    parts: tuple[Segment, ...]
    beside: str


def coverage_chart(rows: Sequence[Coverage], say: Words) -> Markup:
    """Draw what is held (filled) against what is owed (dashed), each asset on a scale of its own."""
    svg = _svg("coverage", say("coverage.chart"), say("coverage.chart_about"), len(rows) * ROW)
    for number, row in enumerate(rows):
        held, owed = int(row.held.units), int(row.owed.units) if row.owed else 0
        most, top = max(held, owed, 1), number * ROW
        _text(svg, 0, top + 21, short(row.symbol), "label")
        _rect(svg, LEFT, top + 7, _scaled(held, most), BAR, "proven")
        if owed:
            _rect(svg, LEFT, top + 4, _scaled(owed, most), BAR + 6, "owed")
        _text(svg, RIGHT + 12, top + 21, f"{row.ratio} {say(f'coverage.word.{row.state}')}".strip(), "number")
    return _markup(svg)


def pool_chart(rows: Sequence[PoolRow], number: int, say: Words) -> Markup:
    """Draw the pools of one asset, each part in the pattern of its evidence."""
    bars = [
        BarRow(
            row.word,
            tuple(Segment(int(part.amount.units), part.tier, part.word) for part in row.parts),
            short(row.total.text),
        )
        for row in rows
    ]
    return bars_chart(f"pools-{number}", say("pools.chart", symbol=rows[0].symbol), say("pools.chart_about"), bars)


def ladder_chart(rows: Sequence[LadderRow], number: int, say: Words) -> Markup:
    """Draw how soon the pools of one asset could pay."""
    names = (*(say(f"ladder.within_{rung}") for rung in ("1h", "24h", "7d")), say("ladder.later"))
    bars = []
    for row in rows:
        steps = [int(one.units) for one in row.within]
        units = (steps[0], steps[1] - steps[0], steps[2] - steps[1], int(row.later.units))
        parts = tuple(Segment(*part) for part in zip(units, RUNGS, names, strict=True) if part[0] > 0)
        bars.append(BarRow(row.word, parts, short(row.total.text)))
    return bars_chart(f"ladder-{number}", say("ladder.chart", symbol=rows[0].symbol), say("ladder.chart_about"), bars)


def bars_chart(name: str, title: str, about: str, rows: Sequence[BarRow]) -> Markup:
    """Draw stacked bars on one scale, with a legend of the patterns that occur."""
    looks = dict.fromkeys((part.look, part.word) for row in rows for part in row.parts)
    svg = _svg(name, title, about, len(rows) * ROW + (ROW if looks else 0))
    most = max((sum(part.units for part in row.parts) for row in rows), default=1) or 1
    for number, row in enumerate(rows):
        top, before = number * ROW, 0
        _text(svg, 0, top + 21, row.label, "label")
        for part in row.parts:
            start, end = _scaled(before, most), _scaled(before + part.units, most)
            _rect(svg, LEFT + start, top + 7, max(end - start, 1), BAR, part.look)
            before += part.units
        _text(svg, RIGHT + 12, top + 21, row.beside, "number")
    for place, (look, word) in enumerate(looks):
        left = LEFT + place * 130
        _rect(svg, left, len(rows) * ROW + 10, 22, 14, look)
        _text(svg, left + 28, len(rows) * ROW + 22, word, "number")
    return _markup(svg)


class _Plane(NamedTuple):
    """Where a height and an amount stand in a profile's drawing."""

    first: int
    span: int
    most: int

    def across(self, height: int) -> int:
        return PLOT_LEFT + (height - self.first) * (RIGHT - PLOT_LEFT) // self.span

    def down(self, units: int) -> int:
        return TOP + HEIGHT - units * HEIGHT // self.most


def profile_chart(row: ProfileRow, number: int, say: Words) -> Markup:
    """Draw what was held as a stepped line, at drawn blocks as dots, and what is owed as a dashed line."""
    title = say("profile.chart", symbol=row.symbol, first=f"{row.first:,}", last=f"{row.last:,}")
    svg = _svg(f"profile-{number}", title, say("profile.chart_about"), HEIGHT + 36)
    owed = int(row.owed.units) if row.owed else 0
    known = [int(step.amount.units) for step in row.steps] + [int(one.amount.units) for one in row.drawn]
    plane = _Plane(row.first, max(row.last - row.first + 1, 1), max(owed, *known, 1))
    _line(svg, [(PLOT_LEFT, TOP), (PLOT_LEFT, TOP + HEIGHT), (RIGHT, TOP + HEIGHT)], "axis")
    beside = _held_line(svg, row, plane, say) if row.steps else None
    if row.owed:
        level = plane.down(owed)
        _line(svg, [(PLOT_LEFT, level), (RIGHT, level)], "owed-line")
        beneath = level + (20 if beside is not None and abs(level - beside) < 16 else 4)
        _text(svg, RIGHT + 12, beneath, f"{say('profile.owed_line')} {short(row.owed.text, 18)}", "number")
    for one in row.drawn:
        place = {"cx": plane.across(one.height), "cy": plane.down(int(one.amount.units)), "r": 4}
        ET.SubElement(svg, "circle", {"class": "drawn", **{name: str(value) for name, value in place.items()}})
    _text(svg, PLOT_LEFT, TOP + HEIGHT + 22, row.opened[:10], "number")
    _text(svg, RIGHT - 80, TOP + HEIGHT + 22, row.ended[:10], "number")
    return _markup(svg)


def _held_line(svg: ET.Element, row: ProfileRow, plane: _Plane, say: Words) -> int:
    """Draw the stepped line and return where it ends."""
    points: list[tuple[int, int]] = []
    for step in row.steps:
        level = plane.down(int(step.amount.units))
        points += [(plane.across(step.height), level), (plane.across(step.height + step.blocks), level)]
    _line(svg, list(dict.fromkeys(points)), "held-line")
    said = f"{say('profile.held_line')} {short(row.held.text if row.held else '', 18)}"
    _text(svg, RIGHT + 12, points[-1][1] + 4, said, "number")
    return points[-1][1]


def short(text: str, most: int = 26) -> str:
    """Return an amount with at most six decimals for a chart; the table beside it has all of them."""
    number, _, unit = text.partition(" ")
    whole, point, decimals = number.partition(".")
    if point and len(decimals) > DECIMALS:
        text = f"{whole}.{decimals[:DECIMALS]}… {unit}"
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _scaled(units: int, most: int) -> int:
    return units * (RIGHT - LEFT) // most


def _svg(name: str, title: str, about: str, height: int) -> ET.Element:
    shape = {"viewBox": f"0 0 {WIDTH} {height}", "role": "img", "aria-labelledby": f"{name}-title {name}-about"}
    svg = ET.Element("svg", shape)
    ET.SubElement(svg, "title", {"id": f"{name}-title"}).text = visible(title)
    ET.SubElement(svg, "desc", {"id": f"{name}-about"}).text = visible(about)
    return svg


def _rect(svg: ET.Element, left: int, top: int, width: int, height: int, look: str) -> None:
    place = {"x": left, "y": top, "width": width, "height": height}
    ET.SubElement(svg, "rect", {"class": look, **{name: str(value) for name, value in place.items()}})


def _text(svg: ET.Element, left: int, top: int, text: str, look: str) -> None:
    ET.SubElement(svg, "text", {"class": look, "x": str(left), "y": str(top)}).text = visible(text)


def _line(svg: ET.Element, points: Sequence[tuple[int, int]], look: str) -> None:
    ET.SubElement(svg, "polyline", {"class": look, "points": " ".join(f"{left},{top}" for left, top in points)})


def _markup(svg: ET.Element) -> Markup:
    return Markup(ET.tostring(svg, encoding="unicode", short_empty_elements=False))  # noqa: S704 -- escaped by ElementTree
