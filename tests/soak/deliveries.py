"""Random extracts and workbooks, and the levels that follow from them, computed with plain loops."""

from __future__ import annotations

import random
from collections.abc import Mapping
from hashlib import md5
from typing import Any

from tests.cloud import WORKBOOK, Cloud
from tests.months import as_csv, month_rows

AGENCIES = "abcdefgh"
KINDS = ((5, 500_000), (2, 10_000), (1, 0), (0, 0), (4, 120_000), (0, 700_000), (3, 20_000))
Thresholds = Mapping[int, tuple[Mapping[str, int], ...]]
"""The channels of each level; a channel has the least number of creators of power 6 and the least GMV in yuan."""


class Deliveries:
    """The content of each delivered object by its ETag, and each workbook by the number in its texts."""

    def __init__(self, cloud: Cloud, chance: random.Random) -> None:
        self.cloud, self.chance = cloud, chance
        self.objects: dict[str, Mapping[str, int]] = {}
        self.now: dict[str, str] = {}
        self.workbooks: list[Thresholds] = []

    # --- extracts -----------------------------------------------------------------------------------------------------

    def month(self, month: str) -> None:
        """Deliver a month, or replace it, with random agencies and figures."""
        there = [agency for agency in AGENCIES if self.chance.random() < 0.8] or ["a"]
        agencies = {agency: self.chance.choice(KINDS) for agency in there}
        contents = {
            "agencies": dict.fromkeys(there, 1),
            "creators": {agency: sixes for agency, (sixes, _) in agencies.items()},
            "orders": {agency: fen for agency, (_, fen) in agencies.items()},
        }
        for dataset, rows in month_rows(month, agencies).items():
            body = as_csv(dataset, rows).encode()
            etag = md5(body, usedforsecurity=False).hexdigest()
            self.objects[etag] = contents[dataset]
            self.now[f"{dataset}/month={month}/part-0.csv"] = etag
            self.cloud.put(dataset, month, rows)

    def levels(self, month: str, inputs: list[dict[str, Any]], workbook: int) -> dict[str, int | None]:
        """The levels of a run that read these objects and this workbook."""
        read = {of["dataset"]: self.objects[of["etag"].strip('"')] for of in inputs if f"/month={month}/" in of["key"]}
        levels: dict[str, int | None] = {}
        for agency in read["agencies"]:
            sixes = read["creators"].get(agency, 0)
            fen = read["orders"].get(agency, 0) if agency in read["creators"] else 0
            levels[agency] = None
            for level, channels in sorted(self.workbooks[workbook].items()):
                for channel in channels:
                    if sixes >= channel.get("six", 0) and fen >= 100 * channel.get("gmv", 0):
                        levels[agency] = level
        return levels

    def unchanged(self, inputs: list[dict[str, Any]]) -> bool:
        """Whether none of these objects has been replaced."""
        return all(self.now[of["key"].removeprefix("in/")] == of["etag"].strip('"') for of in inputs)

    # --- workbooks ----------------------------------------------------------------------------------------------------

    def workbook(self, *, other_thresholds: bool) -> None:
        """Save the workbook with other texts, and if wanted with other thresholds and guardrails."""
        chance, number = self.chance, len(self.workbooks)
        if other_thresholds or not self.workbooks:
            least, more, most = chance.choice((50, 100, 150)), chance.choice((1000, 1100)), chance.choice((4000, 5000))
            thresholds: Thresholds = {
                1: ({"six": 1}, {"gmv": least}),
                2: ({"six": 2, "gmv": least}, {"gmv": more}),
                3: ({"six": chance.choice((4, 5)), "gmv": most},),
            }
            self.settings = f"max_changed_share,{chance.choice((0.5, 0.7))}\n" if chance.random() < 0.3 else ""
        else:
            thresholds = self.workbooks[-1]
        self.workbooks.append(thresholds)
        rows = [
            f",{level},{number},{channel.get('six', '')},{channel.get('gmv', '')}\n"
            for level, channels in thresholds.items()
            for number, channel in enumerate(channels, start=1)
        ]
        self.cloud.write_workbook(
            thresholds="effective_month,level,channel,six,gmv\n" + "".join(rows),
            levels=WORKBOOK["levels"].replace("三级", self.name_of_level_3),
            tips=f"metric,tip,link\ngmv,多开播 w{number}w,\n",
            settings=f"setting,value\n{self.settings}",
        )

    @property
    def name_of_level_3(self) -> str:
        return f"三级 {len(self.workbooks) - 1}"
