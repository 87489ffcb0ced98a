"""The console's function on this machine. The rating function runs its requests in a thread, one at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any

from local.cloud.embedded import EXTRACTS, REPORTS, TABLE
from local.cloud.invocation import Handler
from shared.settings import OperationsSettings

_logger = logging.getLogger(__name__)


def operations_handler(rate: Callable[[dict[str, Any]], Any], workbook: str) -> Handler:
    """The handler behind ``/v1/operations/…``.

    ``rate``: runs a request. ``workbook``: the setting of that name.
    """
    # A handler reads the environment when it is imported, and logs by it.
    from functions.operations.wiring import handler_from  # noqa: PLC0415

    asked: SimpleQueue[dict[str, Any]] = SimpleQueue()
    Thread(target=_work, args=(asked, rate), daemon=True).start()
    environment = {"TABLE_NAME": TABLE, "EXTRACTS": EXTRACTS, "REPORTS": REPORTS, "RATING_FUNCTION": "local"}
    settings = OperationsSettings.from_environment({**environment, "WORKBOOK": workbook})
    return handler_from(settings, lambda event: asked.put(dict(event)))


def _work(asked: SimpleQueue[dict[str, Any]], rate: Callable[[dict[str, Any]], Any]) -> None:
    while True:
        event = asked.get()
        try:
            rate(event)
        except Exception as error:  # noqa: BLE001 - the next request is not to wait for it; the ticket has the details
            _logger.warning("the rating function failed: %s", error)
