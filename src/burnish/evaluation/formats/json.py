"""JSON: everything in the report, for programs."""

from __future__ import annotations

from pathlib import Path

from burnish.core.files import write_json
from burnish.evaluation.findings import Report
from burnish.evaluation.formats._contract import Format


class Json(Format):
    """Writes `report.json`; `Report.model_validate` reads it back."""

    def write(self, report: Report, folder: Path) -> Path:
        path = folder / "report.json"
        write_json(path, report.model_dump(mode="json"))
        return path
