"""Settings from the environment: all that is wrong is said at once, and what is empty is not set."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shared.errors import SettingsMissing
from shared.settings import LookupSettings, OperationsSettings, RatingSettings, S3Prefix

RATING = {
    "TABLE_NAME": "levels",
    "EXTRACTS": "s3://data/mcn/",
    "REPORTS": "s3://reports",
    "WORKBOOK": "s3://data/levels.xlsx",
}


def test_what_is_left_out_or_empty_has_its_default() -> None:
    settings = RatingSettings.from_environment({**RATING, "RETENTION_MONTHS": "", "SCRATCH": "/work", "PATH": "/bin"})
    assert (settings.extracts, settings.reports) == (S3Prefix("data", "mcn"), S3Prefix("reports", ""))
    assert (settings.zone, settings.scratch) == (ZoneInfo("Asia/Shanghai"), Path("/work"))
    assert (settings.retention_months, settings.event_bus, settings.stack) == (25, "default", "local")
    assert (settings.example_allowed, settings.int96_is_utc) == (False, True)


def test_cursors_are_signed_by_the_table_s_name_where_there_is_no_key() -> None:
    assert LookupSettings.from_environment({"TABLE_NAME": "levels"}).cursor_key == "levels"
    assert LookupSettings.from_environment({"TABLE_NAME": "levels", "CURSOR_KEY": "k"}).cursor_key == "k"


@pytest.mark.parametrize("given", ["levels", "/levels", "/levels/"])
def test_a_base_path_has_one_form(given: str) -> None:
    assert LookupSettings.from_environment({"TABLE_NAME": "levels", "BASE_PATH": given}).base_path == "/levels"


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = {
        "EXTRACTS": "data/mcn",
        "REPORTS": "",
        "WORKBOOK": "levels.xlsx",
        "TIMEZONE": "Asia/Nowhere",
        "RETENTION_MONTHS": "0",
        "PARQUET_INT96": "UTC",
    }
    with pytest.raises(SettingsMissing) as raised:
        RatingSettings.from_environment(wrong)
    assert str(raised.value).split("; ") == [
        "TIMEZONE: expected a name such as Asia/Shanghai, found 'Asia/Nowhere'",
        "PARQUET_INT96: expected utc or local, found 'UTC'",
        "TABLE_NAME is not set",
        "EXTRACTS: expected s3://bucket/prefix, found 'data/mcn'",
        "REPORTS is not set",
        "WORKBOOK: expected gsheet:<spreadsheet key>, s3://<bucket>/<key>.xlsx, s3://<bucket>/<prefix>/ or dir:<folder>"
        ", found 'levels.xlsx'",
        "RETENTION_MONTHS: expected a whole number of at least 1, found '0'. Set them in the function's environment "
        "(template.yaml).",
    ]


def test_a_required_name_is_missed_in_every_function() -> None:
    with pytest.raises(SettingsMissing, match="RATING_FUNCTION is not set"):
        OperationsSettings.from_environment({key: RATING[key] for key in ("TABLE_NAME", "EXTRACTS", "REPORTS")})
