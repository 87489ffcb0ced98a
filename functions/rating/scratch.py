"""The working folder of one run, removed when the run ends; and errors of folders, disk and memory.

Lambda keeps the disk of a killed function for its next run, so the folders of killed runs are removed first.
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
_YOUNG = 60.0  # seconds; a folder younger than this may not be locked yet
NOTHING = "Nothing was published."
WHOLE_OR_NOT = "What is published was published as a whole or not at all: see which run is valid."
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN}


@contextmanager
def run_folder(scratch: Path) -> Iterator[Path]:
    """A new folder below ``scratch`` for the block. Folders of killed runs are removed first."""
    with causes_named(scratch):
        _sweep(scratch)
        folder = Path(mkdtemp(prefix=PREFIX, dir=scratch))
    try:
        with causes_named(scratch, WHOLE_OR_NOT), (folder / f"{_LOCK}.new").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # held while this process lives
            (folder / f"{_LOCK}.new").rename(folder / _LOCK)  # locked before _sweep can see it
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def causes_named(scratch: Path, published: str = NOTHING) -> Iterator[None]:
    """Within the block, raise OutOfRoom or ScratchUnusable for errors of disk, folder, memory and threads.

    ``published``: what the message says of publishing, where a block may get as far as that.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise OutOfRoom(
                f"there is no room to work in ({error}). {published} Give the function more ephemeral "
                "storage (RatingStorage) and memory (RatingMemory), then run again."
            ) from error
        raise ScratchUnusable(
            f"the working folder {scratch} can't be used ({error}). {published} SCRATCH has to name a "
            "folder that exists and can be written to; in Lambda that is /tmp."
        ) from error
    except MemoryError as error:
        raise OutOfRoom(
            f"there is too little memory for this month. {published} Give the function more (RatingMemory)."
        ) from error
    except RuntimeError as error:
        if "can't start new thread" not in str(error):
            raise
        raise OutOfRoom(
            f"the system starts no more threads ({error}). {published} Give the function more memory "
            "(RatingMemory), or end what else runs beside it."
        ) from error


def _sweep(scratch: Path) -> None:
    """Remove the folders of runs whose process has ended."""
    for folder in scratch.glob(f"{PREFIX}*"):
        if _is_abandoned(folder):
            logger.info("removing the folder of a run that did not end", folder=folder.name)
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
