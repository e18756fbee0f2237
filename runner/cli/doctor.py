"""The command that looks whether everything is in order, here or at a provider."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from runner.cli.host_options import allow_host_option
from runner.cli.options import json_option, operator, write, write_json
from runner.display import one_line
from runner.doctor import look_over
from runner.errors import ProviderError, UsageError
from runner.operator import Operator
from runner.project import Project, find_project
from runner.providers.hosts import Host, find_host
from runner.providers.probe import Capability, Finding, Probed
from runner.report.terminal import table_text
from runner.running.state import provider_of

_LONGEST = 400


@click.command()
@click.option("--provider", default=None, help="Look at this host instead of at this machine.")
@click.option(
    "--write", "tries_upload", is_flag=True, help="With --provider: send a tiny file and delete it."
)
@allow_host_option
@json_option
def doctor(provider: str | None, *, tries_upload: bool, as_json: bool) -> None:
    """Look whether everything is in order; exit with 1 where something fails.

    Without a provider: Python, packages and extras, disk, GPU, state folder, locks, journals, local service,
    host entries. With one: whether it answers and takes the key, its lists and errors, and its entry's claims
    beside what was seen. It only reads, unless --write is given.
    """
    if tries_upload and provider is None:
        raise UsageError("found --write without --provider, expected a host to send a file to. Add it.")
    project, decided = find_project(Path.cwd()), operator()
    if provider is None:
        probed = Probed(findings=tuple(look_over(project, decided)), capabilities=())
        title = f"finetune on this machine, project {project.root}"
    else:
        host = find_host(provider, decided.user_hosts, project)
        probed = _probed(host, project, decided, tries_upload=tries_upload)
        title = f"{host.name}, {host.origin or 'entry'} as of {host.as_of}"
    failed = [finding for finding in probed.findings if finding.state == "fail"]
    if as_json:
        listed = [{**asdict(item), "differs": item.differs} for item in probed.capabilities]
        findings = [asdict(finding) for finding in probed.findings]
        write_json({"ok": not failed, "findings": findings, "capabilities": listed})
    else:
        write("\n".join([title, *_lines(probed.findings), *_table(probed.capabilities)]))
    if failed:
        raise click.exceptions.Exit(1)


def _probed(host: Host, project: Project, decided: Operator, *, tries_upload: bool) -> Probed:
    from runner.providers.openai_compatible import OpenAICompatible
    from runner.providers.probe_host import Probe

    try:
        provider = provider_of(host, project, decided)
    except ProviderError as error:
        missing = Finding(name="key", state="fail", detail=str(error))
        return Probed(findings=(missing,), capabilities=())
    if not isinstance(provider, OpenAICompatible):
        raise AssertionError("BUG: a provider that is not reached by the SDK")
    try:
        return Probe(host, provider, decided.clock.now()).look(tries_upload=tries_upload)
    finally:
        provider.close()


def _lines(findings: Sequence[Finding]) -> list[str]:
    width = max(len(finding.name) for finding in findings)
    return [
        f"  {finding.state:<4}  {finding.name.ljust(width)}  {one_line(_said(finding), limit=_LONGEST)}"
        for finding in findings
    ]


def _said(finding: Finding) -> str:
    return f"{finding.detail}. {finding.advice}" if finding.advice else finding.detail


def _table(capabilities: Sequence[Capability]) -> list[str]:
    if not capabilities:
        return []
    words = {True: "yes", False: "no", None: "-"}
    rows = [
        [item.name, words[item.claimed], "unknown" if item.seen is None else words[item.seen], item.detail]
        for item in capabilities
    ]
    return ["", table_text(["capability", "entry", "seen", ""], rows)]
