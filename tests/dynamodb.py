"""DynamoDB in this process: as strict as the real one where tests need it, and as fast as a dictionary.

Transactions are atomic; a batch has at most 25 writes or 100 reads and 16 MB, an item 400 KB, a page of a query 1 MB.
``Throughput`` models its limits: 1,000 write units a second for each partition, plus unused ones of some seconds.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

ITEM_BYTES, PAGE_BYTES, BATCH_BYTES = 400 * 1024, 1024 * 1024, 16 * 1024**2
BATCH_WRITES, BATCH_READS, TRANSACTION_WRITES = 25, 100, 100
UNITS_OF_A_PARTITION = 1000.0
TOKENS = re.compile(r"\s*(\(|\)|,|<=|>=|=|<|>|[#:A-Za-z_][A-Za-z0-9_]*)")

Item = dict[str, Any]
Names = tuple[str, str]


class Refused(Exception):
    """An error of DynamoDB."""

    def __init__(self, code: str, message: str = "", **more: Any) -> None:
        super().__init__(code, message)
        self.answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}, **more}


@dataclass
class Throughput:
    """Write units by partition. A new on-demand table has four; each keeps ``burst`` seconds of unused units."""

    clock: Callable[[], float]
    partitions: int = 4
    burst: float = 1.0
    latency: Callable[[], None] = lambda: None
    saved: dict[int, tuple[float, float]] = field(default_factory=dict)

    def take(self, pk: str, units: float) -> bool:
        """Whether the key's partition has any unit left. DynamoDB lends what an item needs beyond those."""
        partition = int.from_bytes(sha256(pk.encode()).digest()[:4], "big") % self.partitions
        now = self.clock()
        most = UNITS_OF_A_PARTITION * self.burst
        had, at = self.saved.get(partition, (most, now))
        has = min(most, had + (now - at) * UNITS_OF_A_PARTITION)
        taken = has > 0
        self.saved[partition] = (has - units if taken else has, now)
        return taken


class DynamoDB:
    """One table. ``attach`` it to the events of a client or a session: their requests are answered here."""

    def __init__(self, throughput: Throughput | None = None) -> None:
        self.items: dict[Names, Item] = {}
        self.throughput = throughput
        self.calls = 0
        self._lock = threading.RLock()

    def attach(self, events: Any) -> None:
        events.register("before-call.dynamodb", self._answer)

    def _answer(self, model: Any, params: Mapping[str, Any], **_: object) -> tuple[Any, dict[str, Any]]:
        try:
            answer = self.do(model.name, json.loads(params["body"]))
        except Refused as refused:
            return SimpleNamespace(status_code=400), refused.answer
        return SimpleNamespace(status_code=200), {"ResponseMetadata": {"HTTPStatusCode": 200}, **_decoded(answer)}

    def do(self, operation: str, request: Item) -> Item:
        """The answer to one request in the wire format (bytes are base64). Raises Refused."""
        with self._lock:
            self.calls += 1
            answer: Item = getattr(self, f"_{re.sub('(?<!^)(?=[A-Z])', '_', operation).lower()}")(request)
            return answer

    # --- reading ------------------------------------------------------------------------------------------------------

    def _get_item(self, request: Item) -> Item:
        item = self.items.get(_names(request["Key"]))
        return {"Item": item} if item else {}

    def _batch_get_item(self, request: Item) -> Item:
        [(table, table_keys)] = request["RequestItems"].items()
        keys = [_names(key) for key in table_keys["Keys"]]
        if not 0 < len(keys) <= BATCH_READS or len(set(keys)) < len(keys):
            raise Refused("ValidationException", "too many items, or the same item twice")
        found: list[Item] = []
        size, unread = 0, []
        for names, key in zip(keys, table_keys["Keys"], strict=True):
            item = self.items.get(names)
            if item is not None and size + size_of(item) > BATCH_BYTES:
                unread.append(key)
            elif item is not None:
                size += size_of(item)
                found.append(item)
        unprocessed = {table: {**table_keys, "Keys": unread}} if unread else {}
        return {"Responses": {table: found}, "UnprocessedKeys": unprocessed}

    def _query(self, request: Item) -> Item:
        values = request["ExpressionAttributeValues"]
        pk, begins = values[":pk"]["S"], values.get(":sk", {"S": ""})["S"]
        names = sorted(n for n in self.items if n[0] == pk and n[1].startswith(begins))
        return self._page(names, request, lambda _: True)

    def _scan(self, request: Item) -> Item:
        condition = request.get("FilterExpression")
        return self._page(sorted(self.items), request, lambda item: not condition or _holds(condition, item, request))

    def _page(self, names: list[Names], request: Item, wanted: Callable[[Item], bool]) -> Item:
        start = _names(request["ExclusiveStartKey"]) if "ExclusiveStartKey" in request else ("", "")
        size, found = 0, []
        for each in names:
            if each <= start:
                continue
            item = self.items[each]
            size += size_of(item)
            if wanted(item):
                found.append(item)
            if size > PAGE_BYTES:
                return {"Items": found, "LastEvaluatedKey": {"pk": {"S": each[0]}, "sk": {"S": each[1]}}}
        return {"Items": found}

    # --- writing ------------------------------------------------------------------------------------------------------

    def _put_item(self, request: Item) -> Item:
        self._check(request, self.items.get(_names(request["Item"])))
        self._take(request["Item"])
        self._put(request["Item"])
        return {}

    def _update_item(self, request: Item) -> Item:
        item = self._updated(request)
        self._take(item)
        self._put(item)
        return {}

    def _delete_item(self, request: Item) -> Item:
        self.items.pop(_names(request["Key"]), None)
        return {}

    def _batch_write_item(self, request: Item) -> Item:
        [(table, requests)] = request["RequestItems"].items()
        items = [request["PutRequest"]["Item"] for request in requests]
        sizes = [size_of(item) for item in items]
        if not 0 < len(items) <= BATCH_WRITES or sum(sizes) > BATCH_BYTES:
            raise Refused("ValidationException", "too many items, or too large together")
        if len({_names(item) for item in items}) < len(items):
            raise Refused("ValidationException", "one item twice")
        _refuse_large(max(sizes))
        if self.throughput:
            self.throughput.latency()
        left = []
        for request, item, size in zip(requests, items, sizes, strict=True):
            if self.throughput and not self.throughput.take(item["pk"]["S"], write_units(size)):
                left.append(request)
            else:
                self.items[_names(item)] = item
        if len(left) == len(requests):
            raise Refused("ProvisionedThroughputExceededException", "the partition's throughput is exceeded")
        return {"UnprocessedItems": {table: left} if left else {}}

    def _transact_write_items(self, request: Item) -> Item:
        writes = request["TransactItems"]
        if not 0 < len(writes) <= TRANSACTION_WRITES:
            raise Refused("ValidationException", "too many writes")
        made, reasons = [], []
        for write in writes:
            try:
                if "Update" in write:
                    made.append(self._updated(write["Update"]))
                else:
                    self._check(write["Put"], self.items.get(_names(write["Put"]["Item"])))
                    made.append(write["Put"]["Item"])
                _refuse_large(size_of(made[-1]))
                reasons.append({"Code": "None"})
            except Refused as refused:
                code = refused.answer["Error"]["Code"]
                reasons.append({"Code": code.removesuffix("Exception")})
        if len({_names(item) for item in made}) < len(made):
            raise Refused("ValidationException", "one item twice")
        if any(reason["Code"] != "None" for reason in reasons):
            raise Refused("TransactionCanceledException", str(reasons), CancellationReasons=reasons)
        for item in made:
            self._put(item)
        return {}

    def _put(self, item: Item) -> None:
        _refuse_large(size_of(item))
        self.items[_names(item)] = item

    def _take(self, item: Item) -> None:
        if self.throughput and not self.throughput.take(item["pk"]["S"], write_units(size_of(item))):
            raise Refused("ProvisionedThroughputExceededException", "the partition's throughput is exceeded")

    def _check(self, request: Item, item: Item | None) -> None:
        condition = request.get("ConditionExpression")
        if condition and not _holds(condition, item or {}, request):
            raise Refused("ConditionalCheckFailedException", "the conditional request failed")

    def _updated(self, request: Item) -> Item:
        item = dict(self.items.get(_names(request["Key"]), {}))
        self._check(request, item)
        item |= request["Key"]
        sets, _, removes = request["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
        for assignment in re.findall(r"([#\w]+) = (if_not_exists\(([#\w]+), (:\w+)\)|:\w+)", sets):
            name, value, kept, default = assignment
            name, kept = _attribute(name, request), _attribute(kept, request)
            values = request["ExpressionAttributeValues"]
            item[name] = item.get(kept, values[default]) if kept else values[value]
        for name in filter(None, removes.split(", ")):
            item.pop(_attribute(name, request), None)
        return item


def size_of(item: Mapping[str, Any]) -> int:
    """The bytes that DynamoDB counts."""
    total = 0
    for name, value in item.items():
        [(kind, content)] = value.items()
        total += len(name) + (len(base64.b64decode(content)) if kind == "B" else len(str(content).encode()))
    return total


def write_units(size: int) -> int:
    return -(-size // 1024)


def _refuse_large(size: int) -> None:
    if size > ITEM_BYTES:
        raise Refused("ValidationException", "Item size has exceeded the maximum allowed size")


def _names(key: Mapping[str, Any]) -> Names:
    return key["pk"]["S"], key["sk"]["S"]


def _attribute(name: str, request: Item) -> str:
    return str(request["ExpressionAttributeNames"][name]) if name.startswith("#") else name


def _decoded(answer: Any) -> Any:
    """The answer as a client gives it: bytes instead of their base64."""
    if isinstance(answer, dict):
        if answer.keys() == {"B"}:
            return {"B": base64.b64decode(answer["B"])}
        return {name: _decoded(value) for name, value in answer.items()}
    return [_decoded(value) for value in answer] if isinstance(answer, list) else answer


# --- conditions -------------------------------------------------------------------------------------------------------


def _holds(condition: str, item: Item, request: Item) -> bool:
    tokens = TOKENS.findall(condition)
    found, rest = _any_of(tokens, item, request)
    assert not rest, f"can't read {condition!r} from {rest}"
    return found


def _any_of(tokens: list[str], item: Item, request: Item) -> tuple[bool, list[str]]:
    found, tokens = _all_of(tokens, item, request)
    while tokens[:1] == ["OR"]:
        other, tokens = _all_of(tokens[1:], item, request)
        found = found or other
    return found, tokens


def _all_of(tokens: list[str], item: Item, request: Item) -> tuple[bool, list[str]]:
    found, tokens = _one_of(tokens, item, request)
    while tokens[:1] == ["AND"]:
        other, tokens = _one_of(tokens[1:], item, request)
        found = found and other
    return found, tokens


def _one_of(tokens: list[str], item: Item, request: Item) -> tuple[bool, list[str]]:
    if tokens[0] == "(":
        found, rest = _any_of(tokens[1:], item, request)
        assert rest[0] == ")"
        return found, rest[1:]
    if tokens[1] == "(":
        end = tokens.index(")")
        arguments = [token for token in tokens[2:end] if token != ","]
        return _function(tokens[0], _attribute(arguments[0], request), arguments[1:], item, request), tokens[end + 1 :]
    value, wanted = item.get(_attribute(tokens[0], request)), request["ExpressionAttributeValues"][tokens[2]]
    return _compare(value, tokens[1], wanted), tokens[3:]


def _function(name: str, attribute: str, values: list[str], item: Item, request: Item) -> bool:
    if name == "attribute_not_exists":
        return attribute not in item
    if name == "attribute_exists":
        return attribute in item
    text, wanted = item.get(attribute, {}).get("S"), request["ExpressionAttributeValues"][values[0]]["S"]
    if text is None:
        return False
    return bool({"begins_with": text.startswith(wanted), "contains": wanted in text}[name])


def _compare(value: Mapping[str, Any] | None, operator: str, wanted: Mapping[str, Any]) -> bool:
    if value is None or value.keys() != wanted.keys():
        return False
    [(kind, content)] = value.items()
    mine, other = (int(content), int(wanted["N"])) if kind == "N" else (content, wanted[kind])
    return bool({"=": mine == other, "<": mine < other, ">": mine > other}[operator])
