"""What must be true of table, API and events after any decisions: computed with plain loops from the ledger.

It reads the table's items as text and imports nothing of the rating function, so it does not repeat its errors.
Each check raises AssertionError that says what differs.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.cloud.gateway import Request, ask
from shared.table import Table
from tests.crashing import lookup_of
from tests.dynamodb import DynamoDB

Levels = Mapping[str, int | None]
Line = Mapping[str, Any]
MOVES = ("published", "restated", "accepted", "rolled_back", "refreshed")


@dataclass(frozen=True, slots=True)
class Publication:
    """A run that became valid at a version. ``before``: the levels that readers saw until then, ``now``: after it."""

    version: int
    month: str
    run: str
    action: str
    at: str
    current: bool
    before: Levels
    now: Levels


class Judge:
    """``levels_of``: computes the levels of a run from the inputs in its record, without the rating function."""

    def __init__(self, dynamodb: DynamoDB, table: Table, levels_of: Callable[[str], Levels]) -> None:
        self.dynamodb = dynamodb
        self.lookup = lookup_of(table)
        self.levels_of = levels_of
        self.compared: Counter[str] = Counter()

    # --- the ledger ---------------------------------------------------------------------------------------------------

    def lines(self) -> list[Line]:
        """All lines of the ledger, in the order of the pointer's versions."""
        found = [json.loads(item["entry"]["S"]) for (pk, _), item in self._items() if pk.startswith("LEDGER#")]
        return sorted(found, key=lambda line: (line["version"], line["action"] not in MOVES, line["at"]))

    def version(self) -> int:
        pointer = self.dynamodb.items.get(("POINTER", "POINTER"))
        return int(pointer["version"]["N"]) if pointer else 0

    def publications(self) -> list[Publication]:
        """The publications by the ledger. Checks that each version has one line, and that the pointer agrees."""
        valid: dict[str, Line] = {}
        found: list[Publication] = []
        moves = [line for line in self.lines() if line["action"] in MOVES]
        versions = [line["version"] for line in moves]
        assert versions == list(range(1, self.version() + 1)), f"the ledger has versions {versions}"
        for line in moves:
            month, run = line["month"], line["run"]
            previous = valid.get(month)
            assert line["replaced"] == (previous["run"] if previous else None), f"{line} replaced {previous}"
            if line["action"] == "refreshed":
                assert previous, f"{line} refreshes a month without a publication"
                assert run == previous["run"], f"{line} refreshes a run that was not valid"
            else:
                earlier = max((other for other in valid if other < month), default=None)
                seen = previous or (valid[earlier] if earlier else None)
                newest = max([*valid, month])
                found.append(
                    Publication(
                        line["version"],
                        month,
                        run,
                        line["action"],
                        line["at"],
                        month == newest,
                        self.levels_of(seen["run"]) if seen else {},
                        self.levels_of(run),
                    )
                )
            valid[month] = line
        self._pointer_is(valid)
        self.compared["ledger lines"] += len(moves)
        return found

    def _pointer_is(self, valid: Mapping[str, Line]) -> None:
        pointer = self.dynamodb.items.get(("POINTER", "POINTER"))
        stored = json.loads(pointer["publications"]["S"]) if pointer else {}
        now = {month: (entry["run"], entry["rulebook"]) for month, entry in stored.items()}
        by_ledger = {month: (line["run"], line["rulebook"]) for month, line in valid.items()}
        assert now == by_ledger, f"the pointer has {now}, by the ledger it is {by_ledger}"

    # --- what readers see ---------------------------------------------------------------------------------------------

    def valid(self) -> dict[str, str]:
        """The valid run of each month, by the ledger."""
        return {publication.month: publication.run for publication in self.publications()}

    def check_readers(self, month: str, agency: str) -> None:
        """Cards, directory and level counts of a month, and the whole history of an agency."""
        valid = self.valid()
        levels = self.levels_of(valid[month])
        assert self.cards(levels, month) == levels
        self.compared["levels"] += len(levels)
        for level in (1, 2, 3):
            listed = [card["agency_id"] for card in self._get(f"/v1/agencies?level={level}&month={month}")["items"]]
            assert listed == sorted(a for a, its_level in levels.items() if its_level == level), (
                f"{month} level {level}: {listed}"
            )
            self.compared["directory pages"] += 1
        expected = [
            (month, run, self.levels_of(run)[agency])
            for month, run in sorted(valid.items(), reverse=True)
            if agency in self.levels_of(run)
        ]
        answer = self._ask(f"/v1/agencies/{agency}/history?limit=100")
        shown = [(item["month"], item["run"], item["level"]) for item in answer.get("items", [])]
        assert shown == expected[:100], f"history of {agency}: {shown}, expected {expected}"
        self.compared["months of history"] += len(shown)
        self._check_stored(valid[month], levels)

    def cards(self, agencies: Levels, month: str) -> Levels:
        """The levels on the public cards of these agencies."""
        body = json.dumps({"agency_ids": sorted(agencies)}).encode()
        target = f"/v1/agencies/batch?month={month}"
        answered = ask(self.lookup, Request("POST", target, [("content-type", "application/json")], body))
        assert answered.status == 200, answered.body
        return {card["agency_id"]: card["level"] for card in answered.json()["items"]}

    def _check_stored(self, run: str, levels: Levels) -> None:
        """The stored ratings, standings and directory of a run are complete, and there are no others."""
        ratings: dict[str, int | None] = {}
        standings: dict[str, int | None] = {}
        listed: dict[str, int | None] = {}
        for (pk, sk), item in self._items():
            if pk.startswith("AGENCY#") and sk.endswith(f"#{run}"):
                ratings[pk.removeprefix("AGENCY#")] = json.loads(item["rating"]["S"])["level"]
            elif pk.startswith(f"STANDINGS#{run}#"):
                standings |= {a: standing["level"] for a, standing in json.loads(item["standings"]["S"]).items()}
            elif pk.startswith(f"LEVEL#{run}#"):
                listed |= {listing["agency_id"]: listing["level"] for listing in json.loads(item["listings"]["S"])}
        rated = {agency: level for agency, level in levels.items() if level is not None}
        assert (ratings, standings, listed) == (levels, levels, rated), f"the stored items of run {run} differ"

    # --- events -------------------------------------------------------------------------------------------------------

    def check_events(self, sent: list[dict[str, Any]], *, all_sent: bool) -> None:
        """Each event follows from a publication and has one id; with ``all_sent``, none is missing."""
        expected: dict[tuple[int, str], dict[str, Any]] = {}
        for p in self.publications():
            agencies = sorted({*p.before, *p.now})
            changes = {a: (p.before.get(a), p.now.get(a)) for a in agencies if p.before.get(a) != p.now.get(a)}
            common = {"sequence": p.version, "current": p.current, "month": p.month, "run": p.run}
            expected[p.version, ""] = {**common, "action": p.action, "changed": len(changes), "published_at": p.at}
            for agency, (old, new) in changes.items():
                expected[p.version, agency] = {**common, "agency_id": agency, "old_level": old, "new_level": new}
        ids: dict[tuple[int, str], str] = {}
        for event in sent:
            names = (event["sequence"], event.get("agency_id", ""))
            wanted = expected.get(names)
            assert wanted is not None, f"no publication has {event}"
            assert wanted.items() <= event.items(), f"{event}, expected {wanted}"
            assert ids.setdefault(names, event["event_id"]) == event["event_id"], f"{names} has two ids"
        assert len(set(ids.values())) == len(ids), "two events share an id"
        if all_sent:
            assert expected.keys() == ids.keys(), f"never sent: {sorted(expected.keys() - ids.keys())[:10]}"
        self.compared["events"] += len(sent)

    # --- requests -----------------------------------------------------------------------------------------------------

    def names_of_levels(self) -> list[str]:
        return [level["name"] for level in self._get("/v1/levels")["levels"]]

    def _get(self, target: str) -> Any:
        answered = ask(self.lookup, Request("GET", target))
        assert answered.status == 200, (target, answered.body)
        return answered.json()

    def _ask(self, target: str) -> Any:
        return ask(self.lookup, Request("GET", target)).json()

    def _items(self) -> list[tuple[tuple[str, str], dict[str, Any]]]:
        return sorted(self.dynamodb.items.items())


def unpacked(attribute: Mapping[str, Any]) -> str:
    """The text of a compressed attribute, as it is sent."""
    return zlib.decompress(base64.b64decode(attribute["B"])).decode()
