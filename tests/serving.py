"""Serves a WSGI application to a test, and leaves no thread and no connection behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import waitress
from waitress import wasyncore

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@contextmanager
def answering(application: WSGIApplication, port: int = 0, **settings: Any) -> Iterator[str]:
    """The address on this machine at which it answers. ``settings``: of waitress; without, one request at a time."""
    channels: dict[int, Any] = {}
    given = {"threads": 1, **settings}
    server = waitress.create_server(application, map=channels, host="127.0.0.1", port=port, **given)
    loop = Thread(target=server.run)
    loop.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # By the loop's own thread: what another one closes is a bad file descriptor to it.
        server.trigger.pull_trigger(lambda: wasyncore.close_all(channels, ignore_all=True))
        loop.join()
        server.task_dispatcher.shutdown()
