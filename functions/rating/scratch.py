"""A run's own working folder, which is gone when the run is; and what goes wrong with folders, disk and memory.

Lambda keeps the disk of a function that was killed for its next run: what such a run left is removed first.
"""

from __future__ import annotations

import errno
import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from shared.errors import OutOfRoom, ScratchUnusable
from shared.observability import logger

PREFIX = "mcn-levels-"
_LOCK = "lock"
_YOUNG = 60.0  # seconds in which a folder may not have its lock yet
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN}


@contextmanager
def run_folder(scratch: Path) -> Iterator[Path]:
    """A new folder below ``scratch``, for the block. Folders of runs that were killed are removed first."""
    with causes_named(scratch):
        _sweep(scratch)
        folder = Path(mkdtemp(prefix=PREFIX, dir=scratch))
        try:
            with (folder / f"{_LOCK}.new").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # for as long as this process lives
                (folder / f"{_LOCK}.new").rename(folder / _LOCK)  # a sweep never sees it unlocked
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def causes_named(scratch: Path) -> Iterator[None]:
    """Within the block, what the machine refuses is told as OutOfRoom or ScratchUnusable, by its error number."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise OutOfRoom(
                f"there is no room to work in ({error}). Nothing was published. Give the function more ephemeral "
                "storage (RatingStorage) and memory (RatingMemory), then run again."
            ) from error
        raise ScratchUnusable(
            f"the working folder {scratch} can't be used ({error}). Nothing was published. SCRATCH has to name a "
            "folder that exists and can be written to; in Lambda that is /tmp."
        ) from error
    except MemoryError as error:
        raise OutOfRoom(
            "memory does not suffice for this month. Nothing was published. Give the function more (RatingMemory)."
        ) from error
    except RuntimeError as error:
        if "can't start new thread" not in str(error):
            raise
        raise OutOfRoom(
            f"the system starts no more threads ({error}). Nothing was published. Give the function more memory "
            "(RatingMemory), or end what else runs beside it."
        ) from error


def _sweep(scratch: Path) -> None:
    for folder in scratch.glob(f"{PREFIX}*"):
        if _is_abandoned(folder):
            logger.info("removing what a run left that did not end", folder=folder.name)
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    """Whether no process holds the folder's lock."""
    try:
        with (folder / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except FileNotFoundError:
        return folder.exists() and time.time() - folder.stat().st_mtime > _YOUNG
    return True
