"""Figures over releases as SVG: a panel each, with its target as a broken line.

Light or dark as the reader has it; panels have a ground of their own, so they can be read on any page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from benchmarks.figures import Figure

_COLUMNS, _WIDTH, _HEIGHT, _GAP = 2, 360, 118, 12
_TOP, _BOTTOM, _LEFT, _RIGHT = 44, 22, 14, 20
_STYLE = """\
  text { font: 12px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; } .small { font-size: 11px; fill: #59636e; }
  .frame { fill: #ffffff; stroke: #d1d9e0; } .target { stroke: #9a6700; stroke-dasharray: 5 4; }
  .target-text { fill: #9a6700; }
  .line { fill: none; stroke: #0969da; stroke-width: 2; } .dot { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; } .small { fill: #9198a1; } .frame { fill: #0d1117; stroke: #3d444d; }
    .target { stroke: #d29922; } .target-text { fill: #d29922; } .line { stroke: #4493f8; } .dot { fill: #4493f8; }
  }"""


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure, with a value for each release; None where it was not measured."""

    figure: Figure
    values: tuple[float | None, ...]


def draw(panels: Sequence[Panel], releases: Sequence[str]) -> str:
    """The whole picture."""
    rows = -(-len(panels) // _COLUMNS)
    width, height = _COLUMNS * (_WIDTH + _GAP) + _GAP, rows * (_HEIGHT + _GAP) + _GAP
    drawn = []
    for number, panel in enumerate(panels):
        x = _GAP + number % _COLUMNS * (_WIDTH + _GAP)
        y = _GAP + number // _COLUMNS * (_HEIGHT + _GAP)
        drawn.append(f'<g transform="translate({x} {y})">\n{_panel(panel, releases)}\n</g>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    return "\n".join([head, f"<style>\n{_STYLE}\n</style>", *drawn, "</svg>"]) + "\n"


def _panel(panel: Panel, releases: Sequence[str]) -> str:
    figure = panel.figure
    target = figure.at_least if figure.at_least is not None else figure.at_most
    known = [(index, value) for index, value in enumerate(panel.values) if value is not None]
    top = 1.15 * max([value for _, value in known] + [target or 0.0, 1e-9])
    unit = f" {figure.unit}" if figure.unit else ""
    parts = [
        f'<rect class="frame" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>',
        f'<text class="title" x="{_LEFT}" y="20">{escape(figure.title)}</text>',
    ]
    if known:
        latest = f"{known[-1][1]:,.{figure.digits}f}{unit}"
        parts.append(f'<text class="title" x="{_WIDTH - _RIGHT}" y="20" text-anchor="end">{escape(latest)}</text>')
    else:
        parts.append(f'<text class="small" x="{_LEFT}" y="80">not measured yet on a quiet machine</text>')
    if target is not None:
        y = _y(target, top)
        parts.append(f'<line class="target" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(
            f'<text class="small target-text" x="{_WIDTH - _RIGHT}" y="36" text-anchor="end">'
            f"target {escape(figure.target)}{unit}</text>"
        )
    points = [(_x(index, len(releases)), _y(value, top)) for index, value in known]
    parts.append(f'<polyline class="line" points="{" ".join(f"{x},{y}" for x, y in points)}"/>')
    parts += [f'<circle class="dot" cx="{x}" cy="{y}" r="4"/>' for x, y in points]
    named = sorted({0, len(releases) - 1}) if releases else []
    for index in named:
        anchor = "start" if index == 0 and len(releases) > 1 else "end" if index else "middle"
        x, y = _x(index, len(releases)), _HEIGHT - 7
        parts.append(f'<text class="small" x="{x}" y="{y}" text-anchor="{anchor}">{escape(releases[index])}</text>')
    return "\n".join(parts)


def _x(index: int, count: int) -> float:
    """Where a release stands: one alone in the middle."""
    room = _WIDTH - _LEFT - _RIGHT
    return round(_LEFT + (room / 2 if count == 1 else room * index / (count - 1)), 1)


def _y(value: float, top: float) -> float:
    """Where a value stands: 0 at the bottom."""
    return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / top, 1)
