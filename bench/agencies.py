"""Invented agencies, the same in every run, with some on every level of the shipped ladder."""

from __future__ import annotations

import random
from collections.abc import Iterator

from bench.months import MONTH
from functions.rating.run.guardrails import Totals
from functions.rating.run.record import DataQuality, RunRecord
from shared.levels import POWER_LEVELS, Measured, Removed, SlotCounts

LONG_AGO = 1_700_000_000_000_000


def agencies(count: int) -> Iterator[Measured]:
    """``count`` agencies with texts of usual length."""
    chance = random.Random(count)  # noqa: S311 - data, not a secret
    for number in range(count):
        size = chance.uniform(0, 1) ** 3
        yield Measured(
            agency_id=f"7{number:018d}",
            name=f"虚构文化传媒有限公司 {number}",
            joined_at=LONG_AGO + number,
            city="杭州",
            introduction="专注本地生活服务的虚构机构，擅长探店与团购直播。" * 2,
            logo_url=f"https://example.invalid/logo/{number}.png",
            creators_by_power=tuple(int(size * chance.expovariate(1 / 60)) for _ in POWER_LEVELS),
            paid_gmv=int(10 ** (4 + 6 * size)),
            excluded_creators=(Removed("云剪辑", 2, 0),),
            excluded_orders=(Removed("刷单", 17, 98_700), Removed("虚假订单", 3, 12_050)),
            slots=SlotCounts(bound=7, base=8, kept=6),
        )


def record_of(count: int) -> RunRecord:
    """The record of a run with ``count`` agencies, with only the fields that items need."""
    quality = DataQuality({}, {}, (), ())
    return RunRecord("bench", str(MONTH), "bench", "1", None, (), count, {}, {}, Totals(0, {}), quality, ())
