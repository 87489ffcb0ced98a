"""Settings from the environment: all errors are reported at once, and an empty variable counts as not set."""

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


def test_an_absent_or_empty_variable_has_its_default() -> None:
    settings = RatingSettings.from_environment({**RATING, "RETENTION_MONTHS": "", "SCRATCH": "/work", "PATH": "/bin"})
    assert (settings.extracts, settings.reports) == (S3Prefix("data", "mcn"), S3Prefix("reports", ""))
    assert (settings.zone, settings.scratch) == (ZoneInfo("Asia/Shanghai"), Path("/work"))
    assert (settings.retention_months, settings.event_bus, settings.stack) == (25, "default", "local")
    assert (settings.example_allowed, settings.int96_is_utc) == (False, True)


def test_without_a_key_cursors_are_signed_with_the_name_of_the_table() -> None:
    assert LookupSettings.from_environment({"TABLE_NAME": "levels"}).cursor_key == "levels"
    assert LookupSettings.from_environment({"TABLE_NAME": "levels", "CURSOR_KEY": "k"}).cursor_key == "k"


@pytest.mark.parametrize("path", ["levels", "/levels", "/levels/"])
def test_a_base_path_always_gets_the_same_form(path: str) -> None:
    assert LookupSettings.from_environment({"TABLE_NAME": "levels", "BASE_PATH": path}).base_path == "/levels"


def test_all_errors_are_reported_at_once() -> None:
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


def test_the_operations_function_reports_a_missing_variable_too() -> None:
    with pytest.raises(SettingsMissing, match="RATING_FUNCTION is not set"):
        OperationsSettings.from_environment({key: RATING[key] for key in ("TABLE_NAME", "EXTRACTS", "REPORTS")})
