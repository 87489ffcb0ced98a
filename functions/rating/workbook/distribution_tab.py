"""The distribution tab: how agencies are distributed over each metric, and how many are near a threshold. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.rating.workbook.cells import Language
from functions.rating.workbook.status_cells import StatusCell, StatusRow
from shared.levels import Measure
from shared.money import yuan


@dataclass(frozen=True, slots=True)
class Histogram:
    """A chart of some rows: labels in the first column, numbers in the second. ``rows``: half-open, from 0."""

    title: str
    rows: tuple[int, int]


@dataclass(frozen=True, slots=True)
class DistributionPage:
    """The rows of the tab, and its charts."""

    rows: Sequence[StatusRow]
    charts: Sequence[Histogram]


def distribution_page(
    distributions: Sequence[Mapping[str, Any]], metrics: Mapping[str, Mapping[str, Any]], month: str, language: Language
) -> DistributionPage:
    """The tab for the distributions of a run or a preview. ``month``: the measured month."""
    rows: list[StatusRow] = []
    charts: list[Histogram] = []
    for one in distributions:
        metric = _Metric(metrics[one["metric"]], language)
        title = metric.title(month, one["agencies"])
        rows += [(StatusCell(title, bold=True),), metric.header(("from – to", "区间"), ("agencies", "机构数"))]
        first = len(rows)
        rows += metric.bins(one["bins"])
        charts.append(Histogram(title, (first, len(rows))))
        rows += [(), *metric.thresholds(one["thresholds"]), (), *metric.cutoffs(one["cutoffs"]), ()]
        rows += [()] * max(0, first - 2 + LINES_OF_A_CHART - len(rows))
    return DistributionPage(rows, charts)


LINES_OF_A_CHART = 16  # the height of a chart in lines of the tab


@dataclass(frozen=True, slots=True)
class _Metric:
    """One metric in the words of one language."""

    metric: Mapping[str, Any]
    language: Language

    def say(self, en: str, zh: str) -> str:
        return zh if self.language == "zh" else en

    def title(self, month: str, agencies: int) -> str:
        name = f"{self.metric['name']} ({self.metric['unit']})" if self.metric["unit"] else str(self.metric["name"])
        return self.say(f"{name} · {month} · {agencies:,} agencies", f"{name} · {month} · {agencies:,} 家机构")

    def header(self, *names: tuple[str, str]) -> StatusRow:
        return tuple(StatusCell(self.say(*name), bold=True) for name in names)

    def bins(self, bins: Sequence[Mapping[str, Any]]) -> Iterator[StatusRow]:
        for one in bins:
            label = f"{self._amount(one['at_least'])} – {self._amount(one['below'])}"
            yield StatusCell(label), _number(one["agencies"])

    def thresholds(self, thresholds: Sequence[Mapping[str, Any]]) -> Iterator[StatusRow]:
        """Each threshold with the number of agencies that meet it, and of those within 5 % and 10 % on either side."""
        if not thresholds:
            return
        near = [
            (f"up to {one['percent']} % {side}", f"{word} {one['percent']}% 以内")
            for one in thresholds[0]["near"]
            for side, word in (("below", "差"), ("above", "超出"))
        ]
        yield self.header(("threshold", "门槛"), ("met by", "达到的机构数"), *near)
        for one in thresholds:
            where = self.say(
                f"level {one['level']} · channel {one['channel']}: {self._amount(one['required'])}",
                f"{one['level']} 级 · 通道 {one['channel']}：{self._amount(one['required'])}",
            )
            counts = [_number(side[part]) for side in one["near"] for part in ("below", "at_or_above")]
            yield StatusCell(where), _number(one["met_by"]), *counts

    def cutoffs(self, cutoffs: Sequence[Mapping[str, Any]]) -> Iterator[StatusRow]:
        """Values of the metric, and how many agencies would meet each as a threshold."""
        if not cutoffs:
            return
        yield self.header(("with this threshold", "门槛取值"), ("agencies would meet it", "可达到的机构数"))
        for one in cutoffs:
            yield StatusCell(self._amount(one["value"])), _number(one["agencies"])

    def _amount(self, value: int) -> str:
        if self.metric["measure"] != Measure.PAID_GMV:
            return f"{value:,}"
        whole, _, cents = yuan(value).partition(".")
        return f"{int(whole):,}" + (f".{cents}" if cents.strip("0") else "")


def _number(number: int) -> StatusCell:
    return StatusCell(f"{number:,}", number=number)
