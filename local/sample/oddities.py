"""Handwritten rows: instants on the month's bounds, ties, returns, repeats, flags, and bad rows.

They belong to the agency A-0900, whose metrics are known for every month: see EXPECTED. Each amount occurs once, so a
wrong total shows which order is wrong.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from local.sample.agencies import MICROSECOND, ZONE
from shared.months import Month

AGENCY = "A-0900"
EXPECTED = {"creators_power6": 1, "creators_power4": 4, "paid_gmv": "9895.00"}

_AGENCIES = """\
agency_id,name,joined_at,city,introduction,logo_url
 A-0900 ,边界示例机构,2025-03-01 00:00:00,杭州,"虚构示例：它的每个数字都可以心算, known in advance",
A-0901,对照示例机构,2025-03-01T00:00:00+08:00,杭州,\\N,\\N
A-0901,对照示例机构,1740758400,杭州,,
"""


def odd_files(month: Month) -> dict[str, bytes]:
    """One CSV file per dataset."""
    at = _Instants(month)
    return {
        "agencies": _AGENCIES.encode(),
        "creators": _creators(at).encode() + b"C-\xff,A-0900,2025-04-01 08:00:00,,4,\n",
        "orders": _orders(at).encode() + b"O-bad-9,K-\xff," + at.day(5).encode() + b",100,\n",
    }


class _Instants:
    """Instants of one month as text, with microseconds."""

    def __init__(self, month: Month) -> None:
        self._start, self._end = month.start(ZONE), month.end(ZONE)
        self.before, self.start = self._text(self._start - MICROSECOND), self._text(self._start)
        self.last, self.end = self._text(self._end - MICROSECOND), self._text(self._end)

    def day(self, number: int) -> str:
        return self._text(self._start + timedelta(days=number - 1, hours=12))

    def _text(self, instant: datetime) -> str:
        return instant.astimezone(ZONE).isoformat(timespec="microseconds")


def _creators(at: _Instants) -> str:
    return f"""\
creator_id,agency_id,bind_time,unbind_time,power_level,risk_tag
K-01, A-0900 ,2025-04-01 08:00:00,0,6,
K-02,A-0900,2025-04-01T08:00:00,,5,
K-02,A-0901,{at.day(10)},{at.day(20)},7,
K-03,A-0901,2025-04-01T08:00:00+08:00,,4,
K-03,A-0900,2025-04-01T00:00:00Z,\\N,4,
K-04,A-0900,1743465600,,5,
K-04,X-9002,{at.day(10)},,5,
K-05,A-0900,2025-04-01 08:00:00,,7,null
K-06,A-0900,2025-04-01 08:00:00,,6,0
K-07,A-0900,{at.end},,6,
K-08,A-0900,{at.day(7)},{at.day(7)},6,
K-09,A-0900,2025-04-01 08:00:00,,6,
K-09,A-0900,2025-04-01 08:00:00,,6,
K-09,A-0900,2025-04-01 08:00:00,,6,虚假交易
K-10,A-0900,2025-04-01 08:00:00,{at.end},0,
K-11,A-0900,2025-04-01 08:00:00,{at.last},7,
007,A-0900,2025-04-01 08:00:00,,4,
7,A-0901,2025-04-01 08:00:00,,4,
C-bad-1,A-0900,2025-04-01 08:00:00,,8,
C-bad-2,A-0900,2025-04-01 08:00:00,,six,
C-bad-3,A-0900,{at.day(9)},{at.day(8)},4,
,A-0900,2025-04-01 08:00:00,,4,
C-bad-5,,2025-04-01 08:00:00,,4,
C-bad-6,A-0900,last spring,,4,
C-bad-7,A-0900,2025-04-01 08:00:00,soon,4,
C-bad-8,A-0900,2025-04-01 08:00:00
"""


def _orders(at: _Instants) -> str:
    return f"""\
order_id,creator_id,pay_time,pay_amount,risk_tag
O-before,K-01,{at.before},100,
O-start,K-01,{at.start},200,
O-last,K-01,{at.last},300,
O-end,K-01,{at.end},400,
O-overlap-1,K-02,{at.day(5)},1000,
O-overlap-2,K-02,{at.day(15)},2000,
O-overlap-3,K-02,{at.day(25)},4000,
O-tie,K-03,{at.day(5)},8000,
O-known,K-04,{at.day(5)},16000,
O-unknown-agency,K-04,{at.day(15)},32000,
O-flagged-creator,K-05,{at.day(5)},64000,
O-too-early,K-07,{at.day(5)},65000,
O-zero-length,K-08,{at.day(7)},66000,
O-text-id,007,{at.day(5)},128000,
O-other-id,7,{at.day(5)},129000,
O-repeat,K-01,{at.day(5)},256000,
O-repeat,K-01,{at.day(5)},256000,
O-differing,K-01,{at.day(6)},999999,
O-differing,K-01,{at.day(5)},512000,
O-flagged-once,K-01,{at.day(5)},1024000,
O-flagged-once,K-01,{at.day(5)},1024000,虚假订单
O-flagged,K-01,{at.day(5)},2048000,云剪辑
O-null,K-01,{at.day(5)},2049000,null
O-zero,K-01,{at.day(5)},2050000,0
O-nobody,K-99,{at.day(5)},4096000,
O-free,K-01,{at.day(5)},0,
O-bad-1,K-01,yesterday,100,
O-bad-2,K-01,{at.day(5)},12.5,
O-bad-3,K-01,{at.day(5)},-100,
,K-01,{at.day(5)},100,
O-bad-5,,{at.day(5)},100,
O-bad-6,K-01,{at.day(5)}
O-bad-7,K-01,{at.day(5)},100,,,
O-bad-8,K-01,{at.day(5)},1e3,
"""
