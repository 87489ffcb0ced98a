"""An invented market over some months: agencies grow and decline; creators join, leave, move, overlap, get flags."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import exp, log
from random import Random

from local.sample.agencies import ZONE, Agency
from shared.months import Month

UNKNOWN_AGENCY = "X-9001"
CREATOR_TAGS = ("云剪辑", "虚假交易", "null", "0")

# The size of agencies, by the share of smaller agencies: (share, unflagged creators or yuan a month).
_POWER_6 = ((0.0, 0), (0.22, 0), (0.50, 1), (0.72, 4), (0.88, 10), (0.96, 20), (1.0, 40))
_POWER_4 = ((0.0, 0), (0.22, 3), (0.50, 8), (0.72, 21), (0.88, 42), (0.96, 75), (1.0, 125))
_GMV = ((0.0, 3e3), (0.22, 2e4), (0.50, 6e4), (0.72, 2e5), (0.88, 6e5), (0.96, 1.6e6), (1.0, 3e6))


@dataclass(frozen=True, slots=True)
class Binding:
    """A creator's binding to an agency, as the extract has it."""

    creator_id: str
    agency_id: str
    bind_time: datetime
    unbind_time: datetime | None
    power_level: int
    risk_tag: str = ""


@dataclass(frozen=True, slots=True)
class Seller:
    """A creator's sales in a month: so many orders of about ``mean`` fen each."""

    creator_id: str
    number: int
    orders: int
    mean: int


@dataclass(frozen=True, slots=True)
class MarketMonth:
    """The facts of one month, before they are written as files."""

    month: Month
    agencies: Sequence[Agency]
    bindings: Sequence[Binding]
    sellers: Sequence[Seller]


@dataclass
class _Team:
    """An agency with its creators (by number), strongest first, and its growth compared with its size."""

    agency: Agency
    creators: list[int] = field(default_factory=list)
    fortune: float = 1.0

    def power(self, rank: int, creator: int) -> int:
        """A creator's power level, from its rank in the team."""
        if rank < round(_at(_POWER_6, self.agency.size) * self.fortune):
            return 6 + (creator % 3 == 0)
        if rank < round(_at(_POWER_4, self.agency.size) * self.fortune):
            return 4 + creator % 2
        return creator % 4

    def wanted(self) -> int:
        """The number of its creators at the end of the month."""
        return round((30 + 1.7 * _at(_POWER_4, self.agency.size)) * self.fortune)

    def gmv(self) -> float:
        """The GMV of its creators in the month, in fen."""
        return 100 * exp(_at([(share, log(yuan)) for share, yuan in _GMV], self.agency.size)) * self.fortune


class Market:
    """Simulates the months in order. The same seed gives the same market on every machine."""

    def __init__(self, agencies: Sequence[Agency], orders: int, seed: int = 20260801) -> None:
        self.agencies = agencies
        self.orders = orders
        self.random = Random(seed)  # noqa: S311 - sample data, and it has to be repeatable
        self.teams: dict[str, _Team] = {}
        self.bound_since: dict[int, datetime] = {}
        self.creators = 0

    def live(self, month: Month) -> MarketMonth:
        """The next month."""
        bindings: list[Binding] = []
        first = not self.teams
        listed = [agency for agency in self.agencies if agency.listed(month)]
        self.teams = {a.agency_id: self.teams.get(a.agency_id) or _Team(a) for a in listed}
        for team in self.teams.values():
            if not first:
                swing = 0.5 if self.random.random() < 0.04 else self.random.uniform(0.76, 1.34)
                team.fortune = min(1.6, max(0.4, team.fortune * swing))
            bindings += self._departures(team, month)
            bindings += self._moves(team, month)
            self._arrivals(team, month, first=first)
        bindings += [row for team in self.teams.values() for row in self._members(team, month)]
        amount = sum(team.gmv() for team in self.teams.values()) / self.orders
        sellers = [seller for team in self.teams.values() for seller in self._sellers(team, amount)]
        return MarketMonth(month, listed, bindings, sellers + self._strangers())

    def _arrivals(self, team: _Team, month: Month, *, first: bool) -> None:
        while len(team.creators) < team.wanted():
            self.creators += 1
            team.creators.append(self.creators)
            since = month.start(ZONE) - timedelta(minutes=self.random.randrange(60, 500_000))
            self.bound_since[self.creators] = max(since if first else self._instant(month), team.agency.joined_at)

    def _departures(self, team: _Team, month: Month) -> Iterator[Binding]:
        """Creators who leave for good: the weakest ones."""
        while len(team.creators) > team.wanted():
            creator = team.creators.pop()
            until = self._instant(month, after=self.bound_since[creator])
            yield self._binding(creator, team.agency.agency_id, creator % 4, until=until)

    def _moves(self, team: _Team, month: Month) -> Iterator[Binding]:
        """Creators who move to another agency within the month."""
        others = [other for other in self.teams.values() if other.agency.joined_at < month.start(ZONE)]
        for creator in [c for c in team.creators[len(team.creators) // 3 :] if self.random.random() < 0.015]:
            other = self.random.choice(others)
            if other is not team:
                moved_at = self._instant(month, after=self.bound_since[creator])
                team.creators.remove(creator)
                yield self._binding(creator, team.agency.agency_id, creator % 4, until=moved_at)
                other.creators.append(creator)
                self.bound_since[creator] = moved_at

    def _members(self, team: _Team, month: Month) -> Iterator[Binding]:
        for rank, creator in enumerate(team.creators):
            power = team.power(rank, creator)
            tag = self.random.choice(CREATOR_TAGS) if self.random.random() < 0.02 else ""
            yield self._binding(creator, team.agency.agency_id, power, tag=tag)
            if self.random.random() < 0.008:
                yield self._second_binding(creator, month, power)

    def _second_binding(self, creator: int, month: Month, power: int) -> Binding:
        """A later binding while an earlier one is open. When it ends, the earlier agency has the creator again."""
        agency_id = self.random.choice([*self.teams, *[UNKNOWN_AGENCY] * (len(self.teams) // 4)])
        start = self._instant(month)
        end = start + (month.end(ZONE) - start) / 2 if self.random.random() < 0.6 else None
        return Binding(_creator_id(creator), agency_id, start, end, power)

    def _sellers(self, team: _Team, amount: float) -> Iterator[Seller]:
        weights = [(1 + team.power(rank, creator)) ** 2 for rank, creator in enumerate(team.creators)]
        share = team.gmv() / sum(weights) if weights else 0
        for creator, weight in zip(team.creators, weights, strict=True):
            mean = round(amount * (0.6 + creator % 9 / 10))
            yield Seller(_creator_id(creator), creator, round(share * weight / mean), mean)

    def _strangers(self) -> list[Seller]:
        """Sellers without any binding."""
        return [Seller(f"C-9{n:05d}", 900_000 + n, 1 + self.orders // 20_000, 8_800) for n in range(60)]

    def _binding(
        self, creator: int, agency_id: str, power: int, *, until: datetime | None = None, tag: str = ""
    ) -> Binding:
        return Binding(_creator_id(creator), agency_id, self.bound_since[creator], until, power, tag)

    def _instant(self, month: Month, after: datetime | None = None) -> datetime:
        """A whole second of the month, so that every notation can express it."""
        start = max(month.start(ZONE), after or month.start(ZONE))
        return start + timedelta(seconds=self.random.randrange(int((month.end(ZONE) - start).total_seconds())))


def _creator_id(number: int) -> str:
    return f"C-{number:06d}"


def _at(points: Sequence[tuple[float, float]], share: float) -> float:
    """The value at a share, interpolated between the points."""
    above = min(bisect_right([x for x, _ in points], share), len(points) - 1)
    (x0, y0), (x1, y1) = points[above - 1], points[above]
    return y0 + (y1 - y0) * (share - x0) / (x1 - x0)
