"""The garbage collector, kept away while a great many values are made that hold no circles.

Looking for circles among hundreds of thousands of them, of which there are none, takes longer than making them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cycle_collection_paused() -> Iterator[None]:
    """No garbage is collected within the block."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
