"""Extracts in S3: when a month is ready, which objects are read and how often, and which changes are noticed."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import IncompleteReadError
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from functions.rating.extracts.datasets import FORMATS_PAGE, Dataset
from functions.rating.extracts.download import fetch
from functions.rating.extracts.inventory import Extracts, Inventory, NotReady
from functions.rating.measuring.assemble import assemble
from functions.rating.measuring.bad_rows import within_share
from functions.rating.measuring.embedded.measure import EmbeddedEngine
from functions.rating.measuring.measured import MonthMeasured
from functions.rating.progress import Progress
from shared.errors import ExtractsUnavailable, ObjectChanged, ObjectInvalid
from shared.months import Month
from shared.settings import S3Prefix
from tests.worlds import SHANGHAI

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OCTOBER = Month(2026, 10)
PREFIX = S3Prefix("extracts", "monthly")
AGENCIES = "agency_id,name,joined_at\nA1,甲,2020-01-01\n"
CREATORS = "creator_id,agency_id,bind_time,unbind_time,power_level,risk_tag\nc1,A1,2026-01-01,,6,\n"
ORDERS = "order_id,creator_id,pay_time,pay_amount,risk_tag\n"


class Bucket:
    """The extracts' bucket with a complete month, and Extracts that read it."""

    def __init__(self, s3: S3Client, scratch: Path) -> None:
        self.s3 = s3
        self.scratch = scratch
        self.extracts = Extracts(s3, PREFIX)
        self.engine = EmbeddedEngine(s3, PREFIX.bucket, SHANGHAI, scratch)
        s3.create_bucket(Bucket=PREFIX.bucket)
        self.put("agencies/month=2026-10/part-0.csv", AGENCIES)
        self.put("creators/month=2026-10/part-0.csv", CREATORS)
        self.put("orders/month=2026-10/part-0.csv", ORDERS + "o1,c1,2026-10-05,100,\n")
        for dataset in ("agencies", "creators", "orders"):
            self.put(f"{dataset}/month=2026-10/_SUCCESS")

    def put(self, key: str, content: str = "") -> None:
        self.s3.put_object(Bucket=PREFIX.bucket, Key=f"monthly/{key}", Body=content.encode())

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=PREFIX.bucket, Key=f"monthly/{key}")

    def found(self) -> Inventory:
        inventory = self.extracts.find(OCTOBER)
        assert isinstance(inventory, Inventory)
        return inventory

    def measure(self, inventory: Inventory | None = None, progress: Progress | None = None) -> MonthMeasured:
        inventory = inventory or self.found()
        totals = within_share(self.engine.measure(inventory, Decimal(1), progress or Progress()), Decimal(1))
        self.extracts.confirm_unchanged(inventory)
        return assemble(totals)

    def on(self, operation: str, do: Callable[..., Any]) -> None:
        self.s3.meta.events.register(f"before-call.s3.{operation}", do)


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Bucket(boto3.client("s3", region_name="us-east-1"), tmp_path)


# --- ready, or not ----------------------------------------------------------------------------------------------------


def test_a_month_is_ready_when_every_dataset_has_its_marker(bucket: Bucket) -> None:
    inventory = bucket.found()

    assert [(o.dataset, o.key) for o in inventory.objects] == [
        (Dataset.AGENCIES, "monthly/agencies/month=2026-10/part-0.csv"),
        (Dataset.CREATORS, "monthly/creators/month=2026-10/part-0.csv"),
        (Dataset.ORDERS, "monthly/orders/month=2026-10/part-0.csv"),
    ]
    assert inventory.previous_creators == ()


@pytest.mark.parametrize("dataset", ["agencies", "creators", "orders"])
def test_a_month_is_not_ready_without_a_marker(bucket: Bucket, dataset: str) -> None:
    bucket.delete(f"{dataset}/month=2026-10/_SUCCESS")

    waiting = bucket.extracts.find(OCTOBER)

    assert isinstance(waiting, NotReady)
    assert waiting.missing == (dataset,)
    marker = f"s3://extracts/monthly/{dataset}/month=2026-10/_SUCCESS"
    assert waiting.found[0].startswith(f"{dataset}: {marker} is not there; found 1 object(s) in its folder")


def test_a_marker_in_another_folder_makes_no_dataset_ready(bucket: Bucket) -> None:
    bucket.delete("orders/month=2026-10/_SUCCESS")
    bucket.put("orders/month=2026-10/part/_SUCCESS")
    bucket.put("orders/month=2026-1/_SUCCESS")
    bucket.put("orders/month=2026-100/_SUCCESS")

    waiting = bucket.extracts.find(OCTOBER)

    assert isinstance(waiting, NotReady)
    assert waiting.missing == ("orders",)


def test_a_missing_marker_is_reported_with_what_is_there_instead(bucket: Bucket) -> None:
    for name in ("_SUCCESS", "part-0.csv"):
        bucket.delete(f"orders/month=2026-10/{name}")
        bucket.delete(f"creators/month=2026-10/{name}")
    bucket.put("orders/_SUCCESS")
    bucket.put("orders/month=202610/part-0.csv", ORDERS)

    waiting = bucket.extracts.find(OCTOBER)

    assert isinstance(waiting, NotReady)
    assert "creators/month=2026-10/_SUCCESS is not there; found nothing below" in waiting.found[0]
    assert "found month=202610/, _SUCCESS in s3://extracts/monthly/orders/." in waiting.found[1]
    assert "at the dataset's root says nothing of one month" in waiting.found[1]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("part-1.csv", "creator_id\n"),
        ("part-1.parquet", "PAR1 cut"),
        ("backup/part-1.csv", CREATORS),
        ("part-1.csv", CREATORS + "bad\n" * 9),
    ],
)
def test_damage_in_the_month_before_is_a_warning(bucket: Bucket, name: str, content: str) -> None:
    for put, text in (("part-0.csv", CREATORS), (name, content), ("_SUCCESS", "")):
        bucket.put(f"creators/month=2026-09/{put}", text)

    inventory = bucket.found()
    measured = assemble(within_share(bucket.engine.measure(inventory, Decimal("0.5"), Progress()), Decimal("0.5")))

    assert measured.agencies[0].slots.base is None
    assert measured.previous_creators is None
    assert any(
        "part-1" in warning or "9 of 11 rows are bad" in warning
        for warning in (*inventory.warnings, *measured.warnings)
    )


def test_hidden_objects_and_folder_markers_are_not_read(bucket: Bucket) -> None:
    for name in ("", "_metadata", ".part-0.csv.crc", "_temporary/part-9.csv", "sub/.hidden.csv", "sub/"):
        bucket.put(f"orders/month=2026-10/{name}", "" if name.endswith("/") else "x")

    assert len(bucket.found().objects) == 3


def test_objects_that_the_contract_excludes_are_not_read_and_give_no_warning(bucket: Bucket) -> None:
    names = ("x_$folder$", "~$orders.xlsx", "manifest", "part-0.csv.md5", "SHA256SUMS", "risk_tag=x/_SUCCESS")
    for name in (*names, "risk_tag=x/"):
        bucket.put(f"orders/month=2026-10/{name}", "" if name.endswith("/") else "x")

    assert len(bucket.found().objects) == 3
    assert bucket.found().warnings == ()


def test_objects_that_are_not_read_because_of_other_names_are_warnings(bucket: Bucket) -> None:
    query = "8f2ea1c4-1111-4222-8333-0123456789ab"
    names = ("manifest.json", "orders_manifest", f"{query}-manifest.csv", f"{query}.csv.metadata", "Thumbs.db", "sub/")
    for name in names:
        bucket.put(f"orders/month=2026-10/{name}", "x")
    bucket.put("creators/month=2026-09/_SUCCESS")
    bucket.put("creators/month=2026-09/part-0.csv", CREATORS)
    bucket.put("creators/month=2026-09/creators_manifest", "{}")

    inventory = bucket.found()

    assert len(inventory.objects) == 3
    warned = [warning.split(": not read, since its name")[0] for warning in inventory.warnings]
    expected = [f"monthly/orders/month=2026-10/{name}" for name in sorted(names)]
    assert warned == [*expected, "monthly/creators/month=2026-09/creators_manifest"]


@pytest.mark.parametrize("name", ["shipping_manifest.csv", "orders-manifest.csv.gz", "manifest.parquet", "x.metadata"])
def test_an_object_with_data_is_read_whatever_its_name(bucket: Bucket, name: str) -> None:
    bucket.put(f"orders/month=2026-10/{name}", ORDERS + "o2,c1,2026-10-05,11,\n")

    assert bucket.measure().paid_gmv == 111


def test_objects_of_unknown_formats_are_all_named_at_once(bucket: Bucket) -> None:
    bucket.put("orders/month=2026-10/a.json", "{}")
    bucket.put("orders/month=2026-10/b.csv", ORDERS + "o2,c1,2026-10-05,1,\n")
    bucket.put("orders/month=2026-10/c.xlsx", "PK\x03\x04")
    bucket.put("orders/month=2026-10/readme.txt", "orders of October\n")

    with pytest.raises(ObjectInvalid) as raised:
        bucket.measure()

    first, *others, page = str(raised.value).splitlines()
    assert page == FORMATS_PAGE
    assert first == "3 objects can't be used:"
    assert ["a.json: found JSON" in others[0], "c.xlsx: found a zip" in others[1], "order_id" in others[2]] == [
        True
    ] * 3


def test_faults_of_folders_and_of_objects_are_named_at_once(bucket: Bucket) -> None:
    gets: list[str] = []
    bucket.s3.meta.events.register("provide-client-params.s3.GetObject", lambda params, **_: gets.append(params["Key"]))
    bucket.found()
    assert not gets, "no object is read if the folders are valid"
    bucket.put("orders/month=2026-10/old/part-1.csv", ORDERS)
    bucket.put("orders/month=2026-10/a.json", "{}")
    bucket.put("orders/month=2026-10/empty.csv")
    bucket.put("orders/month=2026-10/narrow.csv", "order_id,pay_time\n")
    bucket.s3.put_object(
        Bucket=PREFIX.bucket,
        Key="monthly/creators/month=2026-10/narrow.csv.gz",
        Body=gzip.compress(b"\xef\xbb\xbfcreator_id,agency_id\n" + b"c,A1\n" * 40_000),
    )

    with pytest.raises(ObjectInvalid) as raised:
        bucket.found()

    first, *faults, page = str(raised.value).splitlines()
    assert first == "5 objects can't be used:"
    for fault, expected in zip(
        faults,
        (
            "creators/month=2026-10/narrow.csv.gz: columns bind_time, power_level are missing",
            "orders/month=2026-10/a.json: found JSON",
            "orders/month=2026-10/empty.csv: the object has zero bytes",
            "orders/month=2026-10/narrow.csv: columns creator_id, pay_amount are missing",
            "orders/month=2026-10/old/part-1.csv: lies in the folder old/",
        ),
        strict=True,
    ):
        assert fault.startswith(f"monthly/{expected}")
    assert page == FORMATS_PAGE


def test_a_known_column_in_a_key_gives_the_columns_value(bucket: Bucket) -> None:
    bucket.delete("orders/month=2026-10/part-0.csv")
    header = "order_id,creator_id,pay_time,pay_amount\n"
    for number, folder in enumerate(
        ("risk_tag=%E5%88%B7%E5%8D%95", "RISK_TAG=0", "risk_tag=__HIVE_DEFAULT_PARTITION__")
    ):
        bucket.put(f"orders/month=2026-10/{folder}/p", header + f"o{number},c1,2026-10-05,{10**number},\n"[:-2] + "\n")

    measured = bucket.measure()

    assert {removed.risk_tag: removed.amount for removed in measured.excluded_orders} == {"刷单": 1, "0": 10}
    assert measured.paid_gmv == 100


@pytest.mark.parametrize("folder", ["old", "dt=2026-10-05", "month=2026-09", "risk_tag=a/risk_tag=b", "risk_tag=a/old"])
def test_unknown_nested_folders_are_refused_and_named(bucket: Bucket, folder: str) -> None:
    bucket.put(f"orders/month=2026-10/{folder}/part-1.csv", ORDERS)
    bucket.put("creators/month=2026-10/backup/part-1.csv", CREATORS)

    with pytest.raises(ObjectInvalid) as raised:
        bucket.found()

    assert f"orders/month=2026-10/{folder}/part-1.csv: lies in the folder" in str(raised.value)
    assert "creators/month=2026-10/backup/part-1.csv: lies in the folder backup/" in str(raised.value)


def test_a_column_in_the_key_and_in_the_object_is_refused(bucket: Bucket) -> None:
    bucket.put("orders/month=2026-10/risk_tag=x/part-1.csv", ORDERS)

    with pytest.raises(ObjectInvalid, match=r"risk_tag is there 1 times .* and in the key"):
        bucket.measure()


def test_a_ready_dataset_without_data_is_named(bucket: Bucket) -> None:
    bucket.delete("orders/month=2026-10/part-0.csv")

    with pytest.raises(ObjectInvalid, match=r"s3://extracts/monthly/orders/month=2026-10/ has _SUCCESS but no data"):
        bucket.found()


def test_creators_of_the_month_before_are_read_when_they_are_ready(bucket: Bucket) -> None:
    bucket.put("creators/month=2026-09/part-0.csv", CREATORS)
    assert bucket.measure().agencies[0].slots.base is None

    bucket.put("creators/month=2026-09/_SUCCESS")
    assert bucket.measure().agencies[0].slots.base == 1


def test_many_objects_are_listed_page_by_page(bucket: Bucket) -> None:
    (emulation,) = [of for of in s3_backends[DEFAULT_ACCOUNT_ID].values() if PREFIX.bucket in of.buckets]
    for number in range(1100):  # not by requests, which would take ten seconds
        emulation.put_object(PREFIX.bucket, f"monthly/orders/month=2026-10/x{number}.csv", ORDERS.encode())

    assert len(bucket.found().objects) == 1103


def test_an_error_of_s3_has_its_own_error_type(bucket: Bucket) -> None:
    extracts = Extracts(bucket.s3, S3Prefix("nowhere", ""))

    with pytest.raises(ExtractsUnavailable, match="s3://nowhere/agencies/month=2026-10/ can't be listed"):
        extracts.find(OCTOBER)


# --- downloads --------------------------------------------------------------------------------------------------------


def test_every_object_is_read_from_s3_once(bucket: Bucket) -> None:
    for number in range(20):
        bucket.put(f"orders/month=2026-10/p{number}.csv.gz.csv", ORDERS + f"p{number},c1,2026-10-05,1,\n")
    gets: Counter[str] = Counter()
    bucket.s3.meta.events.register(
        "provide-client-params.s3.GetObject", lambda params, **_: gets.update([params["Key"]])
    )

    assert bucket.measure().paid_gmv == 120
    assert set(gets.values()) == {1}
    assert len(gets) == 23


def test_keys_may_have_any_characters(bucket: Bucket) -> None:
    bucket.put('orders/month=2026-10/it\'s; DROP "x" [*] ..\\ 订单 $files.csv', ORDERS + "o2,c1,2026-10-05,1,\n")

    assert bucket.measure().paid_gmv == 101


def test_only_a_few_objects_are_on_the_disk_at_a_time(bucket: Bucket, tmp_path: Path) -> None:
    for number in range(30):
        bucket.put(f"orders/month=2026-10/p{number:02}.csv", ORDERS + "x" * 1000)
    objects = [o for o in bucket.found().objects if o.dataset is Dataset.ORDERS]
    folder = tmp_path / "window"
    folder.mkdir()
    room = 8 * 5 * max(o.size for o in objects)

    most = max(len(list(folder.iterdir())) for _ in fetch(bucket.s3, PREFIX.bucket, objects, folder, room))

    assert most <= 6
    assert not list(folder.iterdir())


def test_the_next_objects_are_downloaded_while_one_is_read(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("orders/month=2026-10/part-1.csv", ORDERS)
    objects = [o for o in bucket.found().objects if o.dataset is Dataset.ORDERS]
    requested = threading.Event()
    bucket.on("GetObject", lambda params, **_: requested.set() if "part-1" in params["url_path"] else None)

    for _ in fetch(bucket.s3, PREFIX.bucket, objects, tmp_path, 10**9):
        assert requested.wait(10)


class BrokenBody:
    """A body whose connection breaks before its end."""

    def read(self, _: int = 0) -> bytes:
        raise IncompleteReadError(actual_bytes=1, expected_bytes=2)


def test_a_download_is_tried_again_after_a_broken_connection(bucket: Bucket) -> None:
    broken = iter([True, True])
    bucket.s3.meta.events.register(
        "after-call.s3.GetObject",
        lambda parsed, **_: parsed.update(Body=BrokenBody()) if next(broken, False) else None,
    )

    assert bucket.measure().paid_gmv == 100


def test_a_connection_that_stays_broken_is_an_error(bucket: Bucket) -> None:
    bucket.s3.meta.events.register("after-call.s3.GetObject", lambda parsed, **_: parsed.update(Body=BrokenBody()))

    with pytest.raises(ExtractsUnavailable, match=r"part-0\.csv can't be read"):
        bucket.measure()


# --- changes ----------------------------------------------------------------------------------------------------------


def test_an_object_that_changed_since_it_was_listed_stops_the_run(bucket: Bucket) -> None:
    inventory = bucket.found()
    bucket.put("orders/month=2026-10/part-0.csv", ORDERS)

    with pytest.raises(ObjectChanged, match=r"orders/month=2026-10/part-0\.csv"):
        bucket.measure(inventory)


@pytest.mark.parametrize("rows", [1, 300_000], ids=["in one request", "in several"])
def test_a_changed_object_is_not_downloaded(bucket: Bucket, tmp_path: Path, rows: int) -> None:
    bucket.put("orders/month=2026-10/part-0.csv", ORDERS * rows)
    objects = bucket.found().objects
    bucket.put("orders/month=2026-10/part-0.csv", ORDERS.replace("o", "x") * rows)

    with pytest.raises(ObjectChanged, match=r"orders/month=2026-10/part-0\.csv: the object was deleted or replaced"):
        list(fetch(bucket.s3, PREFIX.bucket, objects, tmp_path, 1 << 30))


def test_a_deleted_object_stops_the_run(bucket: Bucket) -> None:
    inventory = bucket.found()
    bucket.delete("orders/month=2026-10/part-0.csv")

    with pytest.raises(ObjectChanged, match=r"orders/month=2026-10/part-0\.csv"):
        bucket.measure(inventory)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda bucket: bucket.put("orders/month=2026-10/late.csv", ORDERS), "late.csv"),
        (lambda bucket: bucket.put("agencies/month=2026-10/part-0.csv", AGENCIES + AGENCIES), "agencies"),
        (lambda bucket: bucket.put("creators/month=2026-09/_SUCCESS"), "2026-09"),
        (lambda bucket: bucket.delete("orders/month=2026-10/_SUCCESS"), "orders"),
    ],
)
def test_a_change_while_the_month_is_measured_stops_the_run(
    bucket: Bucket, change: Callable[[Bucket], None], named: str
) -> None:
    bucket.put("creators/month=2026-09/part-0.csv", CREATORS)
    once = iter([None])

    def change_at_the_end(stage: str, done: int, total: int | None) -> None:
        if stage == "measure" and done and done == total:
            for _ in once:
                change(bucket)

    with pytest.raises(ObjectChanged, match=named):
        bucket.measure(progress=Progress(change_at_the_end))


# --- files and progress -----------------------------------------------------------------------------------------------


def test_the_quarantine_is_kept_as_long_as_the_engine(bucket: Bucket) -> None:
    bucket.put("orders/month=2026-10/bad.csv", ORDERS + "bad\n")

    quarantine = bucket.measure().quarantine

    assert quarantine is not None
    assert quarantine.exists()
    bucket.engine = EmbeddedEngine(bucket.s3, PREFIX.bucket, SHANGHAI, bucket.scratch)
    assert not list(bucket.scratch.iterdir())


def test_progress_is_reported_in_bytes(bucket: Bucket) -> None:
    reports: list[tuple[str, int, int | None]] = []

    bucket.measure(progress=Progress(lambda stage, done, total: reports.append((stage, done, total))))

    size = sum(o.size for o in bucket.found().objects)
    assert reports[0] == ("measure", 0, None)
    assert reports[-2:] == [("measure", size, size), ("count", 0, None)]
