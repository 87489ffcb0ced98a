"""The lookup function's entry, and how it starts: importing makes no garbage, so nobody looks for any meanwhile.

The search would be a fifth of the time of a cold start. Nor is it looked for in what was imported at any later time.
"""

import gc

gc.disable()
from functions.lookup.wiring import handler  # noqa: E402 - the point of this module

gc.freeze()
gc.enable()

__all__ = ["handler"]
