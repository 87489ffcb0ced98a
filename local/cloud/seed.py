"""Fills a running embedded AWS: the table, the buckets and the extracts of a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from local.cloud.embedded import create_table_and_buckets
from local.cloud.system import upload

if __name__ == "__main__":
    create_table_and_buckets()
    upload(Path(sys.argv[1]))
