"""A run's report as data for programs."""

from dataclasses import asdict
from typing import Any

from runner.lock.evaluation import evaluation_value
from runner.lock.lockfile import run_value
from runner.report.diff_data import review_data
from runner.report.evaluation_data import evaluation_data
from runner.report.machine import job_data
from runner.report.profile import FileProfile
from runner.report.run_report import RunReport


def report_data(report: RunReport) -> dict[str, Any]:
    """Everything that the page shows, texts whole."""
    locked = report.locked_evaluation
    return {
        "name": report.name,
        "profile": report.profile,
        "recipe": report.file,
        "run": run_value(report.run) if report.run else None,
        "job": job_data(report.job) if report.job else None,
        "curves": {
            name: [{"step": point.step, "value": point.value} for point in points]
            for name, points in report.curves.items()
        },
        "checkpoints": [asdict(item) for item in report.checkpoints],
        "training": _profile_data(report.training),
        "validation": _profile_data(report.validation),
        "findings": [
            {"code": item.code, "severity": item.severity.value, "message": item.message, "count": item.count}
            for item in report.findings
        ],
        "price": asdict(report.price) if report.price else None,
        "evaluation": evaluation_data(report.evaluation) if report.evaluation else None,
        "locked_evaluation": evaluation_value(locked) if locked else None,
        "changes": review_data(report.changes) if report.changes else None,
        "pending": review_data(report.pending) if report.pending else None,
        "past": [asdict(item) for item in report.past],
        "commit": report.commit,
        "versions": dict(report.versions),
        "missing": list(report.missing),
    }


def _profile_data(profile: FileProfile | None) -> dict[str, Any] | None:
    if profile is None:
        return None
    samples = [
        {"line": sample.line, "messages": [message._asdict() for message in sample.messages]}
        for sample in profile.samples
    ]
    return {**asdict(profile), "samples": samples}
