"""Invented agencies: their names, cities, size, and when they joined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.months import Month

ZONE = ZoneInfo("Asia/Shanghai")
MICROSECOND = timedelta(microseconds=1)
SNAPSHOT = timedelta(
    days=2
)  # a month's extracts are written on the 2nd of the next month, so they contain its first arrivals

_words = str.split
_FIRST = _words("星河 云帆 青禾 橙意 海棠 山岚 白鹿 南风 朝露 知夏 归舟 万象 繁花 九州 拾光 听松 晴川 远山 半夏 长歌")
_SECOND = _words("映画 向日 优选 同行 新锐 聚力 蓝海 乐享 未来 纵横 启明 微澜 千寻 有光 鲸落 拓界 集美 同乐")
_CITIES = _words("杭州 成都 广州 长沙 武汉 西安 重庆 上海 北京 深圳 南京 郑州 青岛 厦门 昆明 合肥")
_FIELDS = _words("餐饮 休闲娱乐 丽人 酒店旅行 亲子 综合到店")
_GOLDEN = 0.6180339887498949  # golden ratio: its multiples are spread evenly over 0..1


@dataclass(frozen=True, slots=True)
class Agency:
    """An invented agency. ``size``: 0..1, the share of agencies that are smaller. ``left``: its last month."""

    agency_id: str
    name: str
    city: str
    introduction: str
    logo_url: str
    joined_at: datetime
    size: float
    left: Month | None = None

    def listed(self, month: Month) -> bool:
        """Whether the month's extract contains it. True also if it joined just after that month."""
        return self.joined_at < month.end(ZONE) + SNAPSHOT and not (self.left and self.left < month)


def agencies(count: int, months: tuple[Month, ...]) -> list[Agency]:
    """``count`` agencies from before the first month, and those that join near each month's bounds."""
    earlier = [_agency(number, _long_ago(number, months[0])) for number in range(1, count + 1)]
    earlier[-1] = _agency(count, earlier[-1].joined_at, left=months[0])
    later = [instant for month in (*months, months[-1].plus(1)) for instant in _arrivals(month)]
    return earlier + [_agency(number, instant) for number, instant in enumerate(later, start=count + 1)]


def _arrivals(month: Month) -> Iterator[datetime]:
    start, end = month.start(ZONE), month.end(ZONE)
    yield start
    yield start + timedelta(days=1, hours=9, minutes=30)
    yield start + timedelta(days=14, hours=15)
    yield end - MICROSECOND


def _long_ago(number: int, first: Month) -> datetime:
    return first.start(ZONE) - timedelta(days=20 + number * 37 % 900, minutes=number * 53 % 1440)


def _agency(number: int, joined_at: datetime, left: Month | None = None) -> Agency:
    city, field = _CITIES[number * 7 % len(_CITIES)], _FIELDS[number * 5 % len(_FIELDS)]
    name = f"{_FIRST[number % len(_FIRST)]}{_SECOND[number // len(_FIRST) % len(_SECOND)]}文化传媒"
    return Agency(
        agency_id=f"A-{number:04d}",
        name=name,
        city=city,
        introduction=f"{name}（虚构示例）：服务{city}本地商家，专注{field}类团购达人的孵化与直播。",
        logo_url=f"https://images.example/agencies/{number:04d}.png",
        joined_at=joined_at,
        size=number * _GOLDEN % 1,
        left=left,
    )
