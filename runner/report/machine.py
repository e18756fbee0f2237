"""Values as JSON data for programs; names are those of the lockfile and of OpenAI's API."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from runner.dataset.left_out import left_out
from runner.dataset.value import Dataset, Finding
from runner.errors import InvalidInputError, RunnerError
from runner.issues import Issue, Place
from runner.lock.lockfile import LockedRun
from runner.planning.budget import total_price
from runner.planning.stages import all_stages
from runner.planning.value import CreateJob, Planned, ReuseFile, Step, Upload, WatchJob

if TYPE_CHECKING:
    from runner.examples.read import Example
    from runner.planning.drift import Difference
    from runner.providers.base import Job

_STEP_NAMES = {Upload: "upload", ReuseFile: "reuse_file", CreateJob: "create_job", WatchJob: "watch_job"}


def error_data(error: RunnerError) -> dict[str, Any]:
    """An error with its exit code; problems in files are listed one by one."""
    data: dict[str, Any] = {"exit_code": error.exit_code, "message": str(error)}
    if isinstance(error, InvalidInputError):
        data["issues"] = [issue_data(issue) for issue in error.issues]
    return data


def issue_data(issue: Issue) -> dict[str, Any]:
    """One problem and its place."""
    return {
        **_place_data(issue.place),
        "path": issue.path,
        "severity": issue.severity.value,
        "message": issue.message,
    }


def dataset_data(dataset: Dataset) -> dict[str, Any]:
    """A dataset's files, inputs and findings."""
    validation = dataset.validation_file
    return {
        "records": dataset.n_records,
        "training_file": asdict(dataset.training_file),
        "validation_file": asdict(validation) if validation else None,
        "near_repeats": dataset.n_near_repeats,
        "left_out": [item._asdict() for item in left_out(dataset)],
        "sources": [asdict(item) for item in dataset.sources],
        "templates": [asdict(item) for item in dataset.templates],
        "findings": [finding_data(finding) for finding in dataset.findings],
    }


def finding_data(finding: Finding) -> dict[str, Any]:
    """What a check found, and the first places."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "count": finding.count,
        "places": [_place_data(place) for place in finding.places],
    }


def plan_data(planned: Planned) -> dict[str, Any]:
    """A plan with its dataset, and with that of the recipe that is run first; an unknown price is null."""
    plan = planned.plan
    base = planned.base if plan.creates_job else None
    return {
        **({"base": {"run": base.loaded.run_name, **plan_data(base)}} if base else {}),
        "provider": plan.provider,
        "model": plan.model,
        "digest": plan.digest,
        "attempt": plan.attempt,
        "steps": [_step_data(step) for step in plan.steps],
        "price": asdict(plan.price),
        "notices": list(plan.notices),
        "blocked": plan.blocked,
        "fine_tuned_model": plan.result.fine_tuned_model if plan.result else None,
        "dataset": dataset_data(planned.dataset),
    }


def plans_data(plans: Sequence[Planned]) -> dict[str, Any]:
    """One plan, or those of several combinations by the names of their runs, with the total price."""
    if len(plans) == 1:
        return plan_data(plans[0])
    return {
        "total": asdict(total_price(all_stages(plans))),
        **{planned.loaded.run_key: plan_data(planned) for planned in plans},
    }


def example_data(example: "Example") -> dict[str, Any]:
    """A rendered conversation and its origin."""
    return {
        "key": example.key,
        "variant": example.variant,
        "file": example.file,
        "row": example.row,
        "messages": [{"role": message.role, "content": message.content} for message in example.messages],
        **({} if example.line is None else {"line": example.line}),
    }


def job_data(job: "Job") -> dict[str, Any]:
    """A job as the provider reports it."""
    return asdict(job)


def difference_data(difference: "Difference") -> dict[str, Any]:
    """Something that is not as locked; the record is there where one was looked for."""
    return {name: value for name, value in asdict(difference).items() if value is not None}


def run_data(run: LockedRun | None) -> dict[str, Any] | None:
    """What the lockfile now holds of the job."""
    return asdict(run.job) if run and run.job else None


def _step_data(step: Step) -> dict[str, Any]:
    data = asdict(step)
    file = data.pop("file", None)
    return {"step": _STEP_NAMES[type(step)], **data, **({"sha256": file["sha256"]} if file else {})}


def _place_data(place: Place) -> dict[str, Any]:
    return {name: value for name, value in asdict(place).items() if value is not None}
