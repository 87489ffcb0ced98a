"""What a terminal shows while the demo rates a month."""

from __future__ import annotations

import io

from rich.console import Console

from local.demo.progress import watching


def screen_after(*reports: tuple[str, int, int | None], terminal: bool = True) -> str:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, width=120, color_system=None)
    with watching(console, "rate 2026-10") as progress:
        for stage, done, total in reports:
            progress(stage, done, total)
    return screen.getvalue()


def test_a_terminal_shows_stage_amount_and_time_left() -> None:
    shown = screen_after(("measure", 0, 4_000_000), ("measure", 1_500_000, 4_000_000))

    assert "rate 2026-10 · measure" in shown
    assert "1.5 MB / 4.0 MB" in shown
    assert "left" in shown


def test_each_stage_starts_a_new_bar() -> None:
    shown = screen_after(("measure", 4_000_000, 4_000_000), ("stage", 25, 100_000))

    assert "rate 2026-10 · stage" in shown
    assert "25 / 100,000" in shown
    assert "MB" not in shown.rpartition("· stage")[2]


def test_a_stage_of_unknown_length_has_no_amount() -> None:
    assert " / " not in screen_after(("count", 0, None)).rpartition("· count")[2]


def test_without_a_terminal_only_the_duration_is_printed() -> None:
    shown = screen_after(("measure", 1, 2), terminal=False)

    assert shown.startswith("rate 2026-10: ")
    assert shown.count("\n") == 1
