"""A small model of CloudWatch: metrics as functions write them, and alarms evaluated as its documentation says.

Sliding window: evaluated every minute, over the last complete periods, and a few more if some have no data. If these
contain enough data points, the newest ones count and nothing is missing. Wall clock window: evaluated when a period of
the time zone's clock ends, over the periods of the window only. What is still missing is treated as the alarm says.
During a warm-up that ends late, the alarm stays INSUFFICIENT_DATA.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Dimensions = frozenset[tuple[str, str]]
MORE_PERIODS = 2  # beyond the evaluated ones; "a few more", the documentation's examples have two

STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "Average": lambda values: sum(values) / len(values),
}
BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}


@dataclass
class Metrics:
    """The recorded values: namespace, name and dimensions -> instants and values."""

    values: dict[tuple[str, str, Dimensions], list[tuple[datetime, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def put(self, namespace: str, name: str, dimensions: Mapping[str, str], at: datetime, value: float = 1) -> None:
        self.values[namespace, name, frozenset(dimensions.items())].append((at, value))

    def read(self, written: str, at: datetime) -> None:
        """Read what a function logged in the embedded metric format, as of an instant."""
        for line in written.splitlines():
            if line.startswith("{") and '"_aws"' in line:
                found = json.loads(line)
                for directive in found["_aws"]["CloudWatchMetrics"]:
                    for names in directive["Dimensions"]:
                        dimensions = {name: found[name] for name in names}
                        for metric in directive["Metrics"]:
                            name = metric["Name"]
                            values = found[name] if isinstance(found[name], list) else [found[name]]
                            for value in values:
                                self.put(directive["Namespace"], name, dimensions, at, value)

    def names(self) -> set[str]:
        return {name for _, name, _ in self.values}


@dataclass(frozen=True)
class Alarm:
    """A metric alarm, as the template declares it."""

    properties: Mapping[str, Any]
    dimensions: Mapping[str, str]

    def history(self, metrics: Metrics, created: datetime, until: datetime) -> list[tuple[datetime, State]]:
        """The states from creation on, each with the instant of its beginning."""
        states: list[tuple[datetime, State]] = [(created, "INSUFFICIENT_DATA")]
        points = self._points(metrics)
        for instant in self._evaluations(created, until):
            state = self._evaluate(points, instant, states[-1][1])
            if state != states[-1][1]:
                states.append((instant, state))
        return states

    def raised(self, metrics: Metrics, created: datetime, until: datetime) -> list[datetime]:
        """The instants at which it went into ALARM."""
        return [at for at, state in self.history(metrics, created, until) if state == "ALARM"]

    @property
    def _period(self) -> timedelta:
        return timedelta(seconds=self.properties["Period"])

    @property
    def _zone(self) -> ZoneInfo | None:
        window = self.properties.get("EvaluationWindow", {}).get("WallClockWindow")
        return ZoneInfo(window.get("Timezone", "UTC")) if window is not None else None

    def _start(self, instant: datetime) -> datetime:
        """The beginning of the period that contains an instant."""
        zone = self._zone or ZoneInfo("UTC")
        midnight = instant.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + (instant - midnight) // self._period * self._period

    def _points(self, metrics: Metrics) -> dict[datetime, float]:
        """One data point for each period that has values."""
        name = (self.properties["Namespace"], self.properties["MetricName"], frozenset(self.dimensions.items()))
        periods: dict[datetime, list[float]] = defaultdict(list)
        for at, value in metrics.values.get(name, ()):
            periods[self._start(at)].append(value)
        statistic = STATISTICS[self.properties["Statistic"]]
        return {start.astimezone(UTC): statistic(values) for start, values in periods.items()}

    def _evaluations(self, created: datetime, until: datetime) -> Iterator[datetime]:
        warm_up = self.properties.get("WarmUpConfiguration")
        if warm_up:
            assert warm_up["OnlyStartEvaluatingAfterWarmUpPeriodEnds"], "the model has no warm-up that ends early"
            created += timedelta(minutes=warm_up["WarmUpPeriodDurationInMinutes"])
        step = self._period if self._zone else timedelta(minutes=1)
        instant = self._start(created) + self._period if self._zone else created + step
        while instant <= until:
            yield instant
            instant += step

    def _evaluate(self, points: Mapping[datetime, float], instant: datetime, before: State) -> State:
        wanted = self.properties["EvaluationPeriods"]
        looked_at = wanted if self._zone else wanted + MORE_PERIODS
        last = self._start(instant) - self._period
        starts = [(last - n * self._period).astimezone(UTC) for n in range(looked_at)]
        found = [points[start] for start in starts if start in points]
        breaching = sum(
            BREACHES[self.properties["ComparisonOperator"]](v, self.properties["Threshold"]) for v in found[:wanted]
        )
        missing, treated = max(0, wanted - len(found)), self.properties["TreatMissingData"]
        if missing and breaching == len(found) and treated in ("ignore", "missing"):
            return before if treated == "ignore" else "ALARM" if found else "INSUFFICIENT_DATA"
        return "ALARM" if breaching + (missing if treated == "breaching" else 0) >= wanted else "OK"
