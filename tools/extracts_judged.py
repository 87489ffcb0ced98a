"""A month's extracts judged as a run judges them: everything that is wrong at once, without rating."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.extracts.inventory import MONTHLY
from functions.rating.extracts.month_folder import READY, sorted_out
from functions.rating.extracts.unusable import without_page
from functions.rating.measuring.assemble import assemble
from functions.rating.measuring.bad_rows import is_too_bad
from functions.rating.measuring.embedded.duckdb_engine import DuckDB, open_engine
from functions.rating.measuring.embedded.measure import add_up
from functions.rating.measuring.embedded.reading.objects import ObjectReader
from functions.rating.measuring.embedded.reading.rows_read import DatasetRead
from functions.rating.measuring.embedded.relations import load_agencies
from functions.rating.measuring.embedded.sql import literal
from functions.rating.measuring.expected import expected
from functions.rating.measuring.totals import MonthTotals, RowsRead
from functions.rating.run.nothing_counted import nothing_counted
from shared.errors import AgenciesInvalid, ObjectInvalid
from shared.levels import RuleSettings
from shared.months import Month
from shared.settings import ReadingSettings

FolderOf = Callable[[Dataset, Month], Path]
"""Where the files of a dataset's month are on local disk; the folder need not exist."""

_ANY_SHARE = Decimal(1)
_ONE_OF_EACH = (
    "SELECT DISTINCT ON (agency_id) * REPLACE (make_timestamptz(joined_at) AS joined_at) FROM agency_rows ORDER BY ALL"
)


@dataclass
class Findings:
    """What was found, as lines of text. ``errors``: what stops a run or holds it; ``notes``: what is worth knowing."""

    counts: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges months as a run does. ``settings``: of the workbook; ``reading``: of the function's environment."""

    folder_of: FolderOf
    settings: RuleSettings = field(default_factory=RuleSettings)
    reading: ReadingSettings = field(default_factory=ReadingSettings)

    def findings(self, month: Month) -> Findings:
        """Everything that is wrong with a month, and what becomes of the rows that can be read."""
        found = Findings()
        files = [file for dataset in Dataset for file in self._files(dataset, month, found)]
        whole = not found.errors
        with TemporaryDirectory(prefix="check-") as folder:
            work = Path(folder)
            try:
                totals = self._add_up(files, month, work)
            except (ObjectInvalid, AgenciesInvalid):  # one of perhaps many
                whole = False
                usable, agencies = self._usable(files, month, work, found)
                totals = self._add_up(usable, month, work)
                totals = replace(totals, rows_read={**totals.rows_read, Dataset.AGENCIES: agencies})
            self._say(totals, found)
            if whole:
                self._say_whether_held(totals, month, work, found)
            else:
                found.notes.append("Whether a run would hold the month is judged when every object can be read.")
        return found

    def _files(self, dataset: Dataset, month: Month, found: Findings) -> Iterator[LocalFile]:
        """The data files of one dataset. Notes what else is in its folder."""
        needed = dataset in MONTHLY
        of = month if needed else month.plus(-1)
        folder, prefix = self.folder_of(dataset, of), f"{dataset.folder}/month={of}/"
        sizes = {
            path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()
        }
        lies = sorted_out(dataset, prefix, prefix, sizes)
        (found.errors if needed else found.notes).extend(lies.faults)
        found.notes += lies.unread
        if not lies.ready:
            then = "a month without it is not ready" if needed else "without it binding slots are not assessed"
            found.notes.append(f"{prefix}: no {READY} yet; write it last: {then}.")
        if needed or (lies.ready and not lies.faults):
            for name, columns in lies.data.items():
                yield LocalFile(dataset, prefix + name, folder / name, key_columns=columns)

    def _add_up(self, files: Iterable[LocalFile], month: Month, work: Path) -> MonthTotals:
        """The totals of files that can be read. A dataset without a file has no rows."""
        there = list(files)
        for dataset in MONTHLY:
            if not any(file.dataset is dataset for file in there):
                none = work / f"{dataset}.csv"
                none.write_text(",".join(column.name for column in dataset.columns) + "\n", encoding="utf-8")
                there.append(LocalFile(dataset, none.name, none))
        return add_up(there, month, self.reading.zone, _ANY_SHARE, work, int96_is_utc=self.reading.int96_is_utc)

    def _usable(
        self, files: Iterable[LocalFile], month: Month, work: Path, found: Findings
    ) -> tuple[list[LocalFile], RowsRead]:
        """The files that can be read, and the rows that were read of agencies. Says why other files can't be read.

        One new file stands for all files of agencies: it has one usable row of each agency.
        """
        usable: list[LocalFile] = []
        agencies, cleaned = DatasetRead(), work / "agencies.parquet"
        with TemporaryDirectory(dir=work) as folder, open_engine(Path(folder)) as engine:
            for number, file in enumerate(files):
                parts = Path(folder) / str(number)
                parts.mkdir()
                of_agencies = file.dataset is Dataset.AGENCIES
                fault = self._refused(engine, file, month, parts, agencies if of_agencies else DatasetRead())
                if fault:
                    (found.notes if file.dataset is Dataset.PREVIOUS_CREATORS else found.errors).append(fault)
                elif not of_agencies:
                    usable.append(file)
            try:
                load_agencies(engine, agencies.sources)
            except AgenciesInvalid as error:
                found.errors.append(without_page(str(error)))
            engine.run(f"COPY ({_ONE_OF_EACH}) TO {literal(cleaned)} (FORMAT parquet)")
        return [*usable, LocalFile(Dataset.AGENCIES, cleaned.name, cleaned)], agencies.counted()

    def _refused(self, engine: DuckDB, file: LocalFile, month: Month, parts: Path, into: DatasetRead) -> str | None:
        """Why a file can't be read; None where it can. What was read is added to ``into``."""
        reader = self._reader(engine, month, parts)
        try:
            for read in reader.read([file]):
                into.add(read)
        except ObjectInvalid as error:
            return without_page(str(error))
        return reader.warnings[0] if reader.warnings else None

    def _reader(self, engine: DuckDB, month: Month, folder: Path) -> ObjectReader:
        zone, int96_is_utc = self.reading.zone, self.reading.int96_is_utc
        return ObjectReader(engine, lambda _: None, folder, month, zone, int96_is_utc=int96_is_utc)

    def _say(self, totals: MonthTotals, found: Findings) -> None:
        """What becomes of the rows."""
        for dataset, read in totals.rows_read.items():
            self._say_rows(dataset, read, found)
        measured = assemble(totals)
        rows = measured.order_rows
        found.counts.append(
            f"orders: {rows.used:,} used, {rows.duplicate:,} duplicate, {rows.out_of_month:,} out of month, "
            f"{rows.excluded:,} flagged, {rows.unbound:,} unbound, {rows.quarantined:,} bad"
        )
        for dataset, of in measured.datasets.items():
            found.notes += [f"{dataset}: {count:,} x {what}" for what, count in of.counters.items() if count]
        found.notes += totals.warnings

    def _say_rows(self, dataset: Dataset, read: RowsRead, found: Findings) -> None:
        """How many rows a dataset has, and of each reason how many bad ones, with examples."""
        bad = sum(read.bad.values())
        found.counts.append(f"{dataset}: {read.rows:,} rows, {bad:,} bad")
        allowed = Decimal(0) if dataset is Dataset.AGENCIES else self.settings.max_bad_row_share
        stops = is_too_bad(read, allowed) and dataset is not Dataset.PREVIOUS_CREATORS
        for reason, count in sorted(read.bad.items(), key=lambda item: (-item[1], item[0])):
            examples = read.examples[reason]
            (found.errors if stops else found.notes).append(
                f"{dataset}: {count:,} x {reason}; expected {expected(reason, *examples)}; found {'; '.join(examples)}"
            )
        if dataset is Dataset.PREVIOUS_CREATORS and is_too_bad(read, allowed):
            found.notes.append(f"{dataset}: too many bad rows; a run leaves them out and assesses no binding slots.")
        found.notes += [f"{dataset}: {count:,} x {what}, left out" for what, count in read.skipped.items()]

    def _say_whether_held(self, totals: MonthTotals, month: Month, work: Path, found: Findings) -> None:
        """Whether the month counts for nothing."""
        before = {
            str(dataset): self._rows_before(dataset, month, work)
            for dataset in MONTHLY
            if not totals.rows_read[dataset].rows
        }
        for guardrail in nothing_counted(self.settings, month, assemble(totals), before):
            if guardrail.because:
                found.errors.append(f"{guardrail.because.en}\n  {guardrail.because.zh}")

    def _rows_before(self, dataset: Dataset, month: Month, work: Path) -> int:
        """How many rows a dataset had the month before, as far as they can be read."""
        rows, before = 0, month.plus(-1)
        with TemporaryDirectory(dir=work) as folder, open_engine(Path(folder)) as engine:
            try:
                for read in self._reader(engine, before, Path(folder)).read(self._files(dataset, before, Findings())):
                    rows += read.rows
            except ObjectInvalid:
                pass
        return rows
