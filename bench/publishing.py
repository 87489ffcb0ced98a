"""Compares rating with a rule engine, and staging with a minimal concurrent writer, for many agencies."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from statistics import mean
from typing import Any
from zoneinfo import ZoneInfo

import boto3
from botocore.config import Config

from bench.agencies import agencies, record_of
from bench.compared import Compared, medians, show, show_rows, timed
from bench.measuring import ResultsDiffer
from bench.months import MONTH
from bench.peers import peer
from functions.rating.commands.compute import rate_all
from functions.rating.garbage import cycle_collection_paused
from functions.rating.publication.items import items_of
from functions.rating.publication.staging import BATCH_WRITE_LIMIT, WRITERS, size_of, stage
from functions.rating.run.rules import Rules, computed_level, metric_values
from local.cloud.embedded import TABLE, embedded_aws
from shared.items import key_of
from shared.levels import Ladder, Metric, Rating
from shared.reasons import reasons
from shared.settings import DEFAULT_ZONE
from shared.table import Table
from tools.docs.example import shipped_rulebook

STAGED_AT_ONCE = 5_000
WRITE_UNIT = 1024
STAGING_GOAL = 1 / 0.9  # at least nine tenths of the floor's speed
RULES_GOAL = 0.2  # of the time of measuring


def compare_rules(count: int, measuring_seconds: float) -> None:
    """Time the rules for ``count`` agencies; compare with measuring the bench's month and with zen-engine."""
    rulebook = shipped_rulebook(MONTH)
    ladder = rulebook.ladder(str(MONTH))
    measured = list(agencies(count))
    metrics_of = metric_values(rulebook.metrics)
    metrics = [metrics_of(agency) for agency in measured]
    rules = Rules(rulebook, MONTH, ZoneInfo(DEFAULT_ZONE))
    engine = peer("zen").ZenEngine().create_decision(json.dumps(decision_graph(ladder, rulebook.metrics)))

    def by_engine() -> list[int | None]:
        return [engine.evaluate(of)["result"].get("level") for of in metrics]

    def by_rules() -> list[int | None]:
        return [computed_level(of, ladder) for of in metrics]

    if by_engine() != by_rules():
        raise ResultsDiffer("the rule engine gives other levels")
    decided, engine_decided = medians(timed(by_rules), timed(by_engine), turns=3)
    ratings: list[Rating] = []
    rated = timed(lambda: ratings.extend(rate_all(rules, measured, {})))()
    gc.unfreeze()
    with cycle_collection_paused():
        explained = timed(lambda: [reasons(rating, rulebook) for rating in ratings])()
    levelled = timed(lambda: [computed_level(metrics_of(agency), ladder) for agency in measured])()
    show(
        f"The rules, {count:,} agencies",
        [
            Compared("levels alone, beside zen-engine", decided, engine_decided, 1.0),
            Compared("metrics and levels, beside measuring the month", levelled, measuring_seconds, RULES_GOAL),
            Compared("ratings, beside the same", rated, measuring_seconds, RULES_GOAL),
            Compared("every reason of them all, which no run works out", explained, measuring_seconds),
        ],
    )


def decision_graph(ladder: Ladder, metrics: Sequence[Metric]) -> dict[str, Any]:
    """A ladder as a decision table: one row for each channel, highest level first; the first matching row counts."""
    rows = [
        {"_id": f"{rung.level}.{channel.channel}", "level": str(rung.level)}
        | {threshold.metric: f">= {threshold.required}" for threshold in channel.thresholds}
        for rung in reversed(ladder.rungs)
        for channel in rung.channels
    ]
    inputs = [{"id": metric.key, "name": metric.key, "field": metric.key} for metric in metrics]
    table = {
        "hitPolicy": "first",
        "inputs": inputs,
        "outputs": [{"id": "level", "name": "level", "field": "level"}],
        "rules": [dict.fromkeys((metric.key for metric in metrics), "") | row for row in rows],
    }
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode"},
        {"id": "table", "name": "table", "type": "decisionTableNode", "content": table},
        {"id": "out", "name": "out", "type": "outputNode"},
    ]
    edges = [
        {"id": "first", "type": "edge", "sourceId": "in", "targetId": "table"},
        {"id": "second", "type": "edge", "sourceId": "table", "targetId": "out"},
    ]
    return {"contentType": "application/vnd.gorules.decision", "nodes": nodes, "edges": edges}


def compare_staging(turns: int) -> None:
    """Time staging on the embedded DynamoDB; compare with writing prepared items with as many threads."""
    rules = Rules(shipped_rulebook(MONTH), MONTH, ZoneInfo(DEFAULT_ZONE))
    ratings = rate_all(rules, agencies(STAGED_AT_ONCE), {})
    gc.unfreeze()
    items = list(_items(ratings))
    with embedded_aws() as aws:
        aws.enter()
        client = boto3.client("dynamodb", config=Config(max_pool_connections=WRITERS))
        table = Table(client, TABLE, sleep=time.sleep)
        staged, written = medians(
            timed(lambda: stage(table, _items(ratings), lambda _: None)), timed(lambda: _write(client, items)), turns
        )
    show(f"Staging {len(items):,} items", [Compared("staging, beside a bare writer", staged, written, STAGING_GOAL)])
    _show_sizes(items)


def _items(ratings: Sequence[Rating]) -> Iterator[dict[str, Any]]:
    return items_of(ratings, record_of(len(ratings)), expires_at=1_900_000_000)


def _write(client: Any, items: Sequence[Mapping[str, Any]]) -> None:
    """Write items with as many threads as staging, without checks of size, retries and progress."""
    source = iter(items)
    batches = iter(lambda: [{"PutRequest": {"Item": item}} for item in islice(source, BATCH_WRITE_LIMIT)], [])
    with ThreadPoolExecutor(WRITERS) as pool:
        for answer in pool.map(lambda batch: client.batch_write_item(RequestItems={TABLE: batch}), batches):
            assert not answer.get("UnprocessedItems")  # noqa: S101 - the embedded DynamoDB never has any


def _show_sizes(items: Sequence[Mapping[str, Any]]) -> None:
    kinds: dict[str, list[int]] = {}
    for item in items:
        kinds.setdefault(key_of(item)[0].partition("#")[0].lower(), []).append(size_of(item))
    rows = [
        (
            kind,
            f"{len(sizes):,}",
            f"{mean(sizes):,.0f}",
            f"{max(sizes):,}",
            f"{sum(-(-size // WRITE_UNIT) for size in sizes):,}",
        )
        for kind, sizes in kinds.items()
    ]
    show_rows("Items of a run", ("kind", "items", "mean bytes", "largest", "write units"), rows)
