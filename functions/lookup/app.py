"""The lookup function's entry. Garbage collection is off while modules are imported: they make none, and searching for
it would be a fifth of a cold start. What was imported is never searched later, either.
"""

import gc

gc.disable()
from functions.lookup.wiring import handler  # noqa: E402 - the point of this module

gc.freeze()
gc.enable()

__all__ = ["handler"]
