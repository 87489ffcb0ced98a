"""The words of the status tab, in English and Chinese. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from functions.rating.workbook.cells import Language
from functions.rating.workbook.description import Text
from shared.bilingual import each_language

OUTCOMES: Mapping[str, Text] = {
    "published": Text("levels published", "等级已发布"),
    "unchanged": Text("nothing changed, the published levels stay", "没有变化，已发布的等级保持不变"),
    "held": Text("held, waiting for a decision; the published levels stay", "暂缓发布，等待确认；已发布的等级保持不变"),
    "previewed": Text("previewed, nothing published", "试算完成，没有发布任何内容"),
    "checked": Text("checked, nothing published", "检查完成，没有发布任何内容"),
    "refreshed": Text("changed texts published", "文字改动已发布"),
    "pending": Text("some changes wait, see the list", "有改动尚未生效，见下表"),
    "not_ready": Text("the month's data is not ready, tried again later", "数据未就绪，稍后自动重试"),
    "measuring": Text("being measured by Spark, a later firing goes on", "Spark 正在统计，稍后触发自动继续"),
    "rolled_back": Text("rolled back to an earlier run", "已回退到之前的批次"),
    "repaired": Text("the published items were written again", "已发布的数据已重新写入"),
    "verified": Text("verified, all items are as computed", "复核一致"),
    "differs": Text("verified, and something differs", "复核不一致"),
    "failed": Text("failed, nothing was published", "运行失败，没有发布任何内容"),
    "refused": Text("not done, see why", "未执行，见原因"),
    "faulty": Text("the sheet has errors, nothing is published until they are fixed", "表格有错误，改好之前不会发布"),
}

ACTIONS: Mapping[str, Text] = {
    "published": Text("published", "发布"),
    "restated": Text("restated", "更正后重新发布"),
    "held": Text("held", "暂缓"),
    "accepted": Text("accepted", "确认后发布"),
    "rolled_back": Text("rolled back", "回退"),
    "refreshed": Text("texts refreshed", "更新文字"),
    "repaired": Text("repaired", "修复数据"),
}

GUARDRAILS: Mapping[str, Text] = {
    "max_changed_share": Text("agencies whose level changes", "等级变化的机构占比"),
    "max_downgraded_share": Text("agencies that move down", "降级的机构占比"),
    "max_gmv_change_share": Text("total GMV, against the month before", "总 GMV 较上月变化"),
    "max_rows_change_share": Text("rows of a data set, against the month before", "数据行数较上月变化"),
    "min_rows": Text("rows of a data set (at least)", "数据集行数（下限）"),
    "min_used_share": Text("order rows that count (at least)", "计入的订单行占比（下限）"),
    "max_one_cause_share": Text("rows with one thing in common", "同一原因的行占比"),
}

STANDINGS: Mapping[str, Text] = {
    "unrated": Text("unrated", "未定级"),
    "awaiting": Text("awaiting first rating", "等待首次考核"),
    "awaiting_first_rating": Text("awaiting first rating", "等待首次考核"),
    "absent": Text("not on the platform", "不在平台"),
}

CAUSES: Mapping[str, Text] = {
    "override": Text("set by hand", "人工调整"),
    "override_ended": Text("the level set by hand has ended", "人工调整到期"),
}

FAILURES: Mapping[str, str] = {
    "SettingsMissing": "函数的环境变量缺失或有误，请联系开发人员",
    "EventInvalid": "请求的格式不对",
    "MonthNotOver": "考核月还没有结束，结束后才能考核；可以先试算",
    "WorkbookUnavailable": "暂时读不到表格",
    "ChangesUnseen": "确认之后工作簿又被改动，因此没有收回任何权益；请重新查看改动，再确认",
    "ExampleThresholds": "门槛仍是自带示例（均为虚构），不能据此发布；请先换成真实门槛",
    "ExtractsUnavailable": "暂时读不到数据文件，系统会自动重试",
    "ObjectInvalid": "有数据文件损坏或缺少必需的列，请联系数据团队",
    "ObjectChanged": "读取期间数据文件发生了变化，系统会自动重试",
    "AgenciesInvalid": "机构数据有错误的行，或同一机构的两行不一致，请联系数据团队",
    "TooManyBadRows": "数据的坏行超过“设置”中的上限，请联系数据团队",
    "MeasuringFailed": "统计数据时出错，请联系开发人员",
    "OutOfRoom": "内存或磁盘空间不足，请联系开发人员",
    "NotReconciled": "读到的行数与文件中的行数对不上，请联系开发人员",
    "PublicationConflict": "另一个批次刚刚发布；请查看最新状态，如仍需要请重新操作",
    "ItemTooLarge": "有内容过大，无法保存，请联系开发人员",
    "RunUnknown": "没有这个批次，或该批次不能这样操作",
    "RunSuperseded": "该批次暂缓之后情况有变，未发布；请重新考核该月",
    "RunUnrepairable": "该批次无法按原样重算，请联系开发人员",
    "MonthExpired": "该月已超过保留期限",
    "ItemInvalid": "保存的数据读不出来，请联系开发人员",
    "NothingPublished": "还没有发布过任何月份",
    "ScratchUnusable": "函数的临时目录不可用，请联系开发人员",
    "TableUnavailable": "暂时连不上数据库，系统会自动重试",
    "ReportUnwritten": "报告没能写入，因此没有发布",
    "EventsUnsent": "等级已发布，但部分通知尚未发出，系统会自动重试",
    "OutOfTime": "函数时间不够，已安全停止，请联系开发人员",
}
"""What each error of ``shared.errors`` means to operations; the message itself is in English."""

NOT_DELIVERED = "数据还没有交付完；缺少什么、目录里现有什么："
"""What stands above a sentence about data that is not ready; that is in English."""


def failure(name: str, message: str, language: Language) -> str:
    """Why something failed: the English message; in Chinese its meaning first."""
    said = one_language(message, language)
    if said != message or language == "en" or name not in FAILURES:
        return said
    return f"{FAILURES[name]}\n{message}"


def one_language(message: str, language: Language) -> str:
    """One language of a text "Chinese / English"; any other text unchanged."""
    return each_language(message)[language]
