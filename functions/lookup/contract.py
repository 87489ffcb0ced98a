"""The public API: the parameters of each request, and all fields of each answer.

Answers are TypedDicts with pydantic's annotations. mypy checks an answer where it is built, pydantic checks it again
before it is sent: an answer with a field that is not here fails, so no other field can leak. config/openapi.json is
generated from these types. Answers to requests that need a token also have ``stale``, which is added to what an
operation returns (functions/lookup/routing.py). Every number in the examples is invented.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from shared.items import MadeValid
from shared.levels import BenefitKind, Change, Status

MONTH_PATTERN = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
BATCH_LIMIT = 100
PAGE_LIMIT = 100

AgencyId = Annotated[
    str, Field(description="机构 ID", examples=["A-0042"], json_schema_extra={"pattern": r"^[A-Za-z0-9_-]{1,64}$"})
]
LevelInPath = Annotated[str, WithJsonSchema({"type": "integer", "minimum": 1, "description": "机构等级"})]
BenefitKey = Annotated[str, Field(description="权益代码", examples=["promotion"])]
MonthText = Annotated[str, Field(description="Rating month 考核月, YYYY-MM.", examples=["2026-10"])]
LevelNumber = Annotated[int, Field(description="机构等级: 1 is the lowest; null without a level.", examples=[3])]
Yuan = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]{2}$", examples=["1200000.00"])]
Amount = Annotated[int | Yuan, Field(description="Creators as a whole number, or GMV as yuan text.", examples=[12])]
Progress = Annotated[float, Field(ge=0, le=1, description="actual / required, at most 1: 1 means met.", examples=[0.6])]
Quota = Annotated[
    int | Literal["unlimited"] | None, Field(description="For benefits of kind quota, otherwise null.", examples=[20])
]
Text = Annotated[str | None, Field(description="For benefits of kind text, otherwise null.", examples=[None])]
Stale = Annotated[
    bool, Field(description="True if the newest publication could not be read, and the last known one is shown.")
]
Cursor = Annotated[str | None, Field(description="Send it as `cursor` to get the next page; null on the last page.")]


# --- what may be asked -----------------------------------------------------------------------------------------------


def _in_plain_digits(value: object) -> object:
    """Refuses what Python would read as a whole number too: 1.0, 01, 1_0, +1, or digits of another script."""
    if isinstance(value, str) and not _PLAIN_DIGITS.fullmatch(value):
        raise PydanticCustomError("whole_number", "expected a whole number in plain digits")
    return value


IN_PLAIN_DIGITS = BeforeValidator(_in_plain_digits)
_PLAIN_DIGITS = re.compile(r"-?(0|[1-9][0-9]{0,8})", re.ASCII)


class Asked(BaseModel):
    """A query. Unknown parameters are refused: otherwise a misspelled `month` would give the newest month."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class OfMonth(Asked):
    month: Annotated[
        str | None,
        Field(pattern=MONTH_PATTERN, description="Read the publication of this rating month, not the newest one."),
    ] = None


class _Page(Asked):
    cursor: Annotated[str | None, Field(description="`next` of the previous page, unchanged.")] = None


class DirectoryPage(_Page, OfMonth):
    level: Annotated[int, Field(ge=1, le=1_000_000, description="The level whose agencies to list."), IN_PLAIN_DIGITS]
    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT, description="Largest number of agencies."), IN_PLAIN_DIGITS] = 50


class HistoryPage(_Page, OfMonth):
    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT, description="Largest number of months."), IN_PLAIN_DIGITS] = 12


class PublicationsPage(_Page):
    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT, description="Largest number of months."), IN_PLAIN_DIGITS] = 12


class BatchRequest(BaseModel):
    """The agencies whose cards to read. A repeated id counts once. Unknown and impossible ids are in ``missing``."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    agency_ids: Annotated[
        list[str], Field(min_length=1, max_length=BATCH_LIMIT, examples=[["A-0042", "A-0007", "A-9999"]])
    ]


# --- for everybody ----------------------------------------------------------------------------------------------------


class AgencyCard(TypedDict):
    """An agency as creators and merchants see it: its level and basic information only."""

    agency_id: AgencyId
    name: Annotated[str, Field(examples=["星河文化 (invented)"])]
    city: Annotated[str | None, Field(examples=["杭州"])]
    introduction: str | None
    logo_url: str | None
    level: LevelNumber | None
    level_name: Annotated[str | None, Field(examples=["三级机构"])]
    status: Literal[Status.RATED, Status.BELOW_LADDER, Status.AWAITING_FIRST_RATING]
    month: MonthText
    benefits: Annotated[
        list[str], Field(description="Names of the benefits of its level.", examples=[["达人建联机构"]])
    ]


class CardAnswer(AgencyCard):
    """The public card of one agency."""


class BatchAnswer(TypedDict):
    """Cards in the order of the request, and the ids of which there is no card."""

    items: list[AgencyCard]
    missing: Annotated[list[str], Field(examples=[["A-9999"]])]


class DirectoryAnswer(TypedDict):
    """One page of the agencies of a level, sorted by agency_id."""

    items: list[AgencyCard]
    next: Cursor


class Threshold(TypedDict):
    metric: Annotated[str, Field(examples=["creators_power6"])]
    required: Amount


class Channel(TypedDict):
    """One way to a level (考核通道): an agency passes it by meeting all of its thresholds."""

    channel: Annotated[int, Field(examples=[1])]
    thresholds: list[Threshold]


class HowMuch(TypedDict):
    """How much of a benefit a level has."""

    quota: Quota
    text: Text


class LevelBenefit(TypedDict):
    """A benefit (权益) that a level has, and how much of it."""

    benefit: Annotated[str, Field(examples=["creator_outreach"])]
    name: Annotated[str, Field(examples=["达人建联机构"])]
    kind: BenefitKind
    quota: Quota
    text: Text


class Level(TypedDict):
    """One level of the ladder. An agency passes it by passing any one of its channels."""

    level: Annotated[int, Field(examples=[3])]
    name: Annotated[str, Field(examples=["三级机构"])]
    description: str
    channels: list[Channel]
    benefits: list[LevelBenefit]


class Metric(TypedDict):
    metric: Annotated[str, Field(examples=["creators_power6"])]
    name: Annotated[str, Field(examples=["带货力6级及以上达人数"])]
    unit: Annotated[str, Field(examples=["人"])]


class LadderAnswer(TypedDict):
    """The published ladder (等级体系), lowest level first, and the metrics of its thresholds."""

    month: MonthText
    levels: list[Level]
    metrics: list[Metric]


class LevelAnswer(Level):
    """One level of the published ladder."""

    month: MonthText


class BenefitAtLevel(TypedDict):
    level: Annotated[int, Field(examples=[3])]
    level_name: Annotated[str, Field(examples=["三级机构"])]
    quota: Quota
    text: Text


class Benefit(TypedDict):
    """A benefit and the levels that have it."""

    benefit: Annotated[str, Field(examples=["creator_outreach"])]
    name: Annotated[str, Field(examples=["达人建联机构"])]
    description: str
    kind: BenefitKind
    from_level: Annotated[int | None, Field(description="The lowest level that has it.", examples=[2])]
    levels: list[BenefitAtLevel]


class BenefitsAnswer(TypedDict):
    """All benefits."""

    month: MonthText
    benefits: list[Benefit]


class BenefitAnswer(Benefit):
    """One benefit of the catalogue."""

    month: MonthText


class PublicationAnswer(TypedDict):
    """The valid publication: its month, its run, when it was published, and when levels are next renewed."""

    month: MonthText
    run: Annotated[str, Field(examples=["5f0c9a7be13d24680ace"])]
    published_at: Annotated[datetime, Field(examples=["2026-11-03T02:14:07+08:00"])]
    next_renewal_on: Annotated[
        date, Field(description="The 3rd of the month after the one being measured now.", examples=["2026-12-03"])
    ]


class ViewPublication(PublicationAnswer):
    """The publication that the answer was made from."""

    stale: Stale


class PublishedMonth(TypedDict):
    """A month that can be read, and the number of agencies of each level."""

    month: MonthText
    run: str
    published_at: datetime
    levels: Annotated[
        dict[str, int] | None,
        Field(
            description=(
                "The number of agencies of each level; agencies without a level under `unrated` and "
                "`awaiting_first_rating`. Null if the numbers can't be read."
            ),
            examples=[{"1": 120, "2": 64, "3": 20, "unrated": 300, "awaiting_first_rating": 12}],
        ),
    ]


class PublicationsAnswer(TypedDict):
    """The months that can be read, newest first."""

    items: list[PublishedMonth]
    next: Cursor


class HealthAnswer(TypedDict):
    """The function runs. The table may still be unreachable."""

    status: Literal["ok"]


# --- for the agency itself --------------------------------------------------------------------------------------------


class ThresholdCheck(Threshold):
    actual: Amount


class ThresholdResult(ThresholdCheck):
    met: bool


class ThresholdGap(ThresholdCheck):
    missing: Amount
    progress: Progress


class ThresholdMargin(ThresholdCheck):
    margin: Annotated[
        Amount, Field(description="actual - required: after losing exactly this much, the threshold is still met.")
    ]


class ChannelResult(TypedDict):
    channel: int
    passed: bool
    thresholds: list[ThresholdResult]


class ChannelGaps(TypedDict):
    channel: int
    progress: Progress
    gaps: list[ThresholdGap]


class ChannelMargin(TypedDict):
    channel: int
    thresholds: list[ThresholdMargin]


class NextLevelGaps(TypedDict):
    """The next higher level, and what the agency lacks in each of its channels."""

    level: int
    level_name: str
    nearest_channel: Annotated[
        int, Field(description="The channel with the highest `progress`, which is the lowest of its thresholds.")
    ]
    channels: list[ChannelGaps]


class BothLanguages(TypedDict):
    """A text in Chinese and in English. Both are the same if operations wrote it in one language."""

    zh: str
    en: str


class Advice(TypedDict):
    """How to improve a metric that is below a threshold of the next level (提升建议)."""

    metric: str
    tip: Annotated[str, Field(description="The tip as operations wrote it, perhaps `中文 / English`.")]
    texts: Annotated[BothLanguages, Field(description="The tip in each language.")]
    link: str | None


class RemovedCreators(TypedDict):
    risk_tag: Annotated[str, Field(examples=["云剪辑"])]
    count: int


class RemovedOrders(RemovedCreators):
    amount: Yuan


class Excluded(TypedDict):
    """What the metrics do not count because risk control flagged it, by risk tag.

    The hundred most frequent tags of the month have lines of their own; all others share `其他 (other)`.
    """

    creators: list[RemovedCreators]
    orders: list[RemovedOrders]


class OwnViewAnswer(TypedDict):
    """An agency's level with all reasons. Only for the agency itself."""

    agency_id: AgencyId
    name: str
    month: MonthText
    status: Status
    level: LevelNumber | None
    level_name: str | None
    computed_level: Annotated[
        LevelNumber | None,
        Field(description="The level by the rules. It may differ from `level` if that was set by hand."),
    ]
    first_rating_on: Annotated[
        date | None, Field(description="When the agency is first rated; null once it has been rated.")
    ]
    previous_level: LevelNumber | None
    change: Annotated[Change | None, Field(description="Compared with the newest earlier publication.")]
    metrics: Annotated[dict[str, Amount], Field(examples=[{"creators_power6": 12, "paid_gmv": "1200000.00"}])]
    channels: Annotated[
        list[ChannelResult], Field(description="The channels of the computed level; empty without one.")
    ]
    next_level: NextLevelGaps | None
    margin: Annotated[
        list[ChannelMargin], Field(description="The passed channels of the computed level, with what may be lost.")
    ]
    benefits: list[LevelBenefit]
    tips: list[Advice]
    excluded: Excluded
    publication: ViewPublication


class HistoryMonth(TypedDict):
    month: MonthText
    run: str
    published_at: datetime
    action: Annotated[
        MadeValid,
        Field(
            description=(
                "How this run became the month's valid one. published: the month's first; restated: with corrected "
                "extracts or rules; accepted: by operations, after it was held; rolled_back: operations went back to "
                "it."
            )
        ),
    ]
    status: Status
    level: LevelNumber | None
    level_name: str | None
    computed_level: LevelNumber | None
    previous_level: LevelNumber | None
    change: Change | None
    metrics: dict[str, Amount]


class HistoryAnswer(TypedDict):
    """An agency's published months, newest first."""

    agency_id: AgencyId
    items: list[HistoryMonth]
    next: Cursor


Reason = Annotated[
    Literal["granted", "level_too_low", "not_at_this_level", "not_offered", "unrated", "awaiting_first_rating"],
    Field(
        description=(
            "granted: the agency has it; level_too_low: from_level is higher; not_at_this_level: a lower level has it, "
            "this one does not; not_offered: no level has it; unrated: the agency has no level; "
            "awaiting_first_rating: the agency is too new to be rated."
        )
    ),
]


class Entitlement(TypedDict):
    """Whether an agency has a benefit, and if not, why not."""

    benefit: Annotated[str, Field(examples=["creator_outreach"])]
    name: Annotated[str, Field(examples=["达人建联机构"])]
    granted: bool
    reason: Reason
    kind: BenefitKind
    quota: Quota
    text: Text
    from_level: int | None


class EntitlementsAnswer(TypedDict):
    """Every benefit of the catalogue, as it applies to one agency."""

    agency_id: AgencyId
    month: MonthText
    level: LevelNumber | None
    benefits: list[Entitlement]


class EntitlementAnswer(Entitlement):
    """One benefit, as it applies to one agency."""

    agency_id: AgencyId
    month: MonthText
    level: LevelNumber | None


class Retention(TypedDict):
    base: Annotated[
        int | None,
        Field(description="Unflagged creators of power level 6 and 7 that the agency had at the end of last month."),
    ]
    kept: Annotated[
        int | None, Field(description="Creators of the base that still have power level 6 or 7 this month.")
    ]
    rate: Annotated[float | None, Field(description="kept / base; null without a base.", examples=[0.75])]
    required: Annotated[float, Field(description="From this rate on, bindings are unlimited.", examples=[0.7])]


NotAssessed = Literal["below_free_slots", "no_previous_month"]
Allowance = Annotated[int | Literal["unlimited"], Field(examples=["unlimited"])]


class AgencyAndMonth(TypedDict):
    agency_id: AgencyId
    month: MonthText


class SlotAllowance(TypedDict):
    bound: Annotated[
        int, Field(description="Creators of power level 6 and 7 that the agency had at the month's end.", examples=[9])
    ]
    status: Literal["assessed", "not_assessed"]
    reason: NotAssessed | None
    retention: Retention
    allowance: Allowance
    may_still_drop: Annotated[
        int | None,
        Field(description="How many kept creators may leave power levels 6 and 7 with the rate still reached."),
    ]


class BindingSlotsAnswer(AgencyAndMonth, SlotAllowance):
    """How many further creators of power level 6 and 7 the agency may bind in the coming month."""


# --- what went wrong --------------------------------------------------------------------------------------------------


class InvalidValue(BaseModel):
    """One invalid value. ``pointer``: a JSON pointer into the body, or into the query parameters as an object."""

    model_config = ConfigDict(populate_by_name=True)

    where: Annotated[Literal["body", "query"], Field(alias="in")]
    code: Annotated[str, Field(description="For programs: a code never changes.", examples=["not-a-text"])]
    pointer: Annotated[str, Field(examples=["#/agency_ids/3"])]
    detail: str
    detail_zh: str


class ProblemAnswer(BaseModel):
    """RFC 9457 problem details, in English and Chinese."""

    type: Annotated[str, Field(examples=["urn:problem-type:mcn-levels:unknown-agency"])]
    title: str
    title_zh: str
    status: Annotated[int, Field(examples=[404])]
    detail: str
    detail_zh: str
    errors: list[InvalidValue] | None = None


class GatewayMessage(BaseModel):
    """A refusal by the gateway itself, before the function is called."""

    message: Annotated[str, Field(examples=["Unauthorized"])]
