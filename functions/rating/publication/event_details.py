"""The details of the events for other systems. ``source`` is ``mcn.levels``, ``detail-type`` the class's name.

Events arrive at least once and in any order. A consumer that stores each agency's level does three things: it ignores
an ``event_id`` that it knows; it uses only events with ``current`` true; and for each agency it keeps the level with
the highest ``sequence``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

SOURCE = "mcn.levels"

EventId = Annotated[str, Field(description="The id of this event. If the event is sent again, it has the same id.")]
Sequence = Annotated[
    int, Field(description="Rises with every publication of any month. All events of one publication have the same.")
]
Current = Annotated[
    bool, Field(description="Whether the month was the newest published one, so that its levels are in force now.")
]
Month = Annotated[str, Field(description="The rating month, YYYY-MM.")]
Run = Annotated[str, Field(description="The run that became valid for the month.")]
Replaced = Annotated[str | None, Field(description="The month's run that it replaced; null for the month's first.")]
Level = Annotated[int | None, Field(description="null: unrated, awaiting its first rating, or not on the platform.")]


class LevelsPublished(TypedDict):
    """A month's levels became visible: for the first time, restated, accepted, or rolled back to."""

    event_id: EventId
    sequence: Sequence
    current: Current
    month: Month
    run: Run
    replaced_run: Replaced
    action: Annotated[
        Literal["published", "restated", "accepted", "rolled_back"], Field(description="Why they became visible.")
    ]
    published_at: Annotated[str, Field(description="When they became visible, ISO 8601 in UTC.")]
    changed: Annotated[int, Field(description="The number of AgencyLevelChanged events of this publication.")]


class AgencyLevelChanged(TypedDict):
    """An agency's level differs from what readers saw before: in the replaced run, or else in the month before."""

    event_id: EventId
    sequence: Sequence
    current: Current
    month: Month
    run: Run
    replaced_run: Replaced
    agency_id: Annotated[str, Field(description="The agency.")]
    old_level: Level
    new_level: Level


DETAILS = {kind.__name__: kind for kind in (LevelsPublished, AgencyLevelChanged)}
