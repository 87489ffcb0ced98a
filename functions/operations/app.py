"""The entry of the function behind the console."""

from functions.operations.wiring import from_environment

handler = from_environment()

__all__ = ["handler"]
