"""The lookup function's entry.

Python's search for reference cycles is off during the imports: they make none, and searching takes a fifth of a cold
start. The imported objects are never searched later, either.
"""

import gc

gc.disable()
from functions.lookup.wiring import handler  # noqa: E402 - the point of this module

gc.freeze()
gc.enable()

__all__ = ["handler"]
