"""What the engine hands over: numbers and texts as they are in the result, and whether a text may be padded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.rating.measuring.embedded.duckdb_engine import Engine, EngineRefused
from functions.rating.measuring.embedded.handover import Piece, Texts
from functions.rating.measuring.embedded.measure import MEMORY_LIMIT, open_engine
from functions.rating.measuring.embedded.reading.sql_cells import WHITESPACE
from functions.rating.measuring.embedded.sql import nested
from shared.errors import OutOfRoom

MANY = 300_000  # rows, more than one piece holds
CHARACTERS = st.sampled_from([*WHITESPACE, *"aN0~!\\\x00\x1f\x7fé单\U0001f600"])
TEXTS = st.text(CHARACTERS, max_size=4)


def texts_of(some: list[str], before: str = "") -> Texts:
    """As the engine may give them: with what belongs to others before and after."""
    encoded = [text.encode() for text in some]
    bounds = np.cumsum([len(before.encode()), *map(len, encoded)], dtype=np.int64)
    return Texts(bounds, np.frombuffer(before.encode() + b"".join(encoded) + b"  ", np.uint8))


@given(st.lists(TEXTS), TEXTS)
@example(["ab", "\\N"], "")
@example(["abc", "de\t"], " ")
@example(["", "x"], "")
def test_every_text_that_trimming_would_change_is_in_doubt(some: list[str], before: str) -> None:
    changed = [text for text in some if text and (text.strip(WHITESPACE) != text or text == "\\N")]
    assert texts_of(some, before).may_be_padded() or not changed


@given(st.lists(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=4)))
@example(["\\0"])
@example(["\\N"])
def test_plain_texts_are_not(some: list[str]) -> None:
    assert texts_of(some, " ").may_be_padded() == ("\\N" in some)


def test_blanks_within_a_text_are_no_padding() -> None:
    assert not texts_of(["a b", "c 单 d"]).may_be_padded()


def read(piece: Piece, name: str) -> list[str]:
    texts = piece.texts(name)
    characters = texts.characters.tobytes()
    return [characters[start:end].decode() for start, end in zip(texts.bounds, texts.bounds[1:], strict=False)]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with open_engine(tmp_path, MEMORY_LIMIT) as opened:
        yield opened


def test_numbers_and_texts_arrive_as_they_are_piece_by_piece(engine: Engine) -> None:
    text = "CASE i % 3 WHEN 0 THEN '单' || i WHEN 1 THEN '' END AS text"
    query = f"SELECT CAST(i AS UBIGINT) << 40 AS number, {text} FROM range({MANY}) t(i)"

    numbers: list[int] = []
    texts: list[str] = []
    pieces = list(engine.pieces(query))
    for piece in pieces:
        numbers += piece.numbers("number").tolist()
        texts += read(piece, "text")

    assert len(pieces) > 1
    assert sum(map(len, pieces)) == MANY
    assert numbers == [i << 40 for i in range(MANY)]
    assert texts == ["" if i % 3 else f"单{i}" for i in range(MANY)]


def test_rows_of_files_arrive_in_their_order(engine: Engine, tmp_path: Path) -> None:
    """Rows are known by their numbers, so this is what everything that is said of a row rests on."""
    for index in range(3):
        written = f"SELECT {index * MANY} + i AS number FROM range({MANY}) t(i)"
        engine.run(f"COPY ({written}) TO '{tmp_path}/{index}.parquet' (ROW_GROUP_SIZE 10_000)")
    query = f"SELECT number FROM read_parquet('{tmp_path}/*.parquet') WHERE number % 7 <> 3"

    for _ in range(5):
        numbers = np.concatenate([piece.numbers("number").copy() for piece in engine.pieces(query)])
        every = np.arange(3 * MANY)
        assert (numbers == every[every % 7 != 3]).all()


def test_a_result_that_is_left_unread_does_not_stand_in_the_way(engine: Engine) -> None:
    pieces = engine.pieces(f"SELECT i FROM range({MANY}) t(i)")
    next(pieces)
    pieces.close()
    assert engine.rows("SELECT 1") == [(1,)]


def test_what_fails_within_a_result_is_refused_with_the_reason(engine: Engine) -> None:
    query = f"SELECT CASE WHEN i = {MANY - 1} THEN error('not a number') ELSE i END AS n FROM range({MANY}) t(i)"
    with pytest.raises(EngineRefused, match=r"^Invalid Input Error: not a number"):  # the engine's words, not Arrow's
        list(engine.pieces(query))


def test_a_question_that_outgrows_memory_and_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.rating.measuring.embedded.measure.SPILL_LIMIT", 1024**2)
    large = "SELECT i, md5(CAST(i AS VARCHAR)) AS text FROM range(2_000_000) t(i)"
    with open_engine(tmp_path, 64 * 1024**2) as engine, pytest.raises(OutOfRoom, match="RatingStorage"):
        list(engine.pieces(f"SELECT i FROM {nested(large)} ORDER BY text"))
