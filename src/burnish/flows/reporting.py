"""Reports on the sides of a run, or on new rows: of one task, or of several and each of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from burnish.core.members import owned_items
from burnish.evaluation.findings import Report
from burnish.evaluation.formats._contract import Format
from burnish.evaluation.joint import joint_report, joint_scores
from burnish.flows.judging import Judge, Judged
from burnish.tasks._contract import Answered, Decision

Rows = Sequence[Answered]


class Sides(NamedTuple):
    """Answered rows: `test` is judged, or `dev` where there is none; rows that are `is_new` to a bundle are a test."""

    dev: Rows | None
    test: Rows | None
    is_new: bool = False

    @property
    def judged(self) -> Rows:
        return self.test or self.dev or ()

    @property
    def split(self) -> str:
        return "judged" if self.is_new else "test" if self.test else "dev"

    def of_member(self, judge: Judge, name: str) -> Sides:
        """The rows of one of several tasks."""
        return Sides(judge.rows_of(name, self.dev), judge.rows_of(name, self.test), self.is_new)


def scores_on(judge: Judge, sides: Sides, decision: Decision) -> dict[str, float]:
    """Every score of the judged rows; none where there are none."""
    of_members = {
        name: scores_on(member, sides.of_member(judge, name), decision.members[name])
        for name, member in judge.members.items()
    }
    asked = {name: scores for name, scores in of_members.items() if scores}
    if asked:
        return joint_scores(asked, _best_by(judge))
    return judge.scores(sides.judged, decision) if sides.judged else {}


def report_on(
    judge: Judge, sides: Sides, decision: Decision, about: dict[str, Any], seeds: Sequence[dict[str, float]] = ()
) -> Report | None:
    """The report, with one for each of several tasks in it; None without rows. `seeds` are the scores of each."""
    if not sides.judged:
        return None
    if not judge.members:
        told = {"judged_on": f"{sides.split} data", **about, "split": sides.split, "n_judged": len(sides.judged)}
        is_tuned = sides.split == "test" and sides.dev
        dev = judge.task.outcome(sides.dev or (), judge.labels, decision) if is_tuned else None
        return judge.report(Judged(sides.judged, decision, dev, sides.is_new), told, seeds)
    reports = {}
    for name, member in judge.members.items():
        own = {**about, "name": f"{about['name']}: {name}", "task": member.task.part_name}
        of_seeds = [owned_items(name, scores) for scores in seeds]
        report = report_on(member, sides.of_member(judge, name), decision.members[name], own, of_seeds)
        if report is not None:
            reports[name] = report
    n_judged = sum(report.n_rows for report in reports.values())
    splits = " and ".join(dict.fromkeys(report.about["judged_on"] for report in reports.values()))
    told = {"judged_on": splits, **about, "n_judged": n_judged}
    return joint_report(reports, _best_by(judge), judge.settings.gates, told, seeds)


def write_report(report: Report, formats: Sequence[Any], folder: Path) -> list[Path]:
    """The report in each of `formats`, and that of each of several tasks in a folder of its name."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [cast("Format", form).write(report, folder) for form in formats]
    for name, member in report.members.items():
        files += write_report(member, formats, folder / name)
    return files


def _best_by(judge: Judge) -> dict[str, str]:
    return {name: member.task.best_by for name, member in judge.members.items()}
