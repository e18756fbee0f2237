"""Which command lives in which module; a module is imported when its command runs."""

from importlib import import_module
from typing import Any

import click

from runner.cli.examples import examples_of

# name: (module, attribute, help line), in the order of a first session
COMMANDS = {
    "init": ("runner.cli.init", "init", "Write a starter recipe from a data file."),
    "schema": ("runner.cli.recipes", "schema", "Print the JSON Schema of recipes, lockfiles or hosts."),
    "validate": ("runner.cli.validation", "validate", "Check a recipe; no data is read."),
    "render": ("runner.cli.render", "render", "Print the composed recipe with its origins."),
    "fmt": ("runner.cli.fmt", "fmt", "Lay out recipes in one way."),
    "port": ("runner.cli.port", "port", "Move a recipe to another host, as a profile."),
    "preview": ("runner.cli.recipes", "preview", "Show the first rendered conversations."),
    "build": ("runner.cli.recipes", "build", "Build and check the dataset."),
    "check": ("runner.cli.check", "check", "Say what the checks find in the data."),
    "explain": ("runner.cli.check", "explain", "Say what a check looks for, why, and what to do."),
    "tokens": ("runner.cli.tokens", "tokens", "Count the tokens: totals, lengths, roles, price."),
    "plan": ("runner.cli.recipes", "plan", "Say what a run would do, why, and its price."),
    "diff": ("runner.cli.diff", "diff", "Say what a change would train differently."),
    "verify": ("runner.cli.verify", "verify", "Rebuild from sources and compare with the lockfile."),
    "lock-check": ("runner.cli.lock_check", "lock_check", "Tell cheaply whether a lockfile is stale."),
    "run": ("runner.cli.runs", "run", "Do it: upload, train, follow, lock."),
    "status": ("runner.cli.runs", "status", "Show the job of the last run."),
    "watch": ("runner.cli.runs", "watch", "Follow a job to its end."),
    "eval": ("runner.cli.evaluation", "evaluate", "Ask, score and compare the tuned model and baselines."),
    "compare": ("runner.cli.compare", "compare", "Compare two evaluations or models side by side."),
    "report": ("runner.cli.report", "report", "Show the last run on one page."),
    "predict": ("runner.cli.predict", "predict", "Ask the tuned model about new records."),
    "why": ("runner.cli.why", "why", "Find the training records that an answer comes from."),
    "track": ("runner.cli.track", "track", "Log a job in MLflow, Weights & Biases or TensorBoard."),
    "export": ("runner.cli.export", "export", "Write the tuned model and its card into a folder."),
    "push": ("runner.cli.export", "push", "Put the tuned model on the Hugging Face hub."),
    "rerun": ("runner.cli.rerun", "rerun", "Train again from the lockfile and compare."),
    "refresh": ("runner.cli.refresh", "refresh", "Bring the lockfile up to date with its providers."),
    "import": ("runner.cli.import_job", "import_job", "Take over a job, or another tool's settings."),
    "history": ("runner.cli.history", "history", "List the runs of a recipe so far."),
    "events": ("runner.cli.jobs", "events", "List what happened to a job."),
    "cancel": ("runner.cli.jobs", "cancel", "Cancel a job."),
    "jobs": ("runner.cli.jobs", "jobs", "List jobs, newest first."),
    "files": ("runner.cli.resources", "files", "List, show or delete uploaded files."),
    "models": ("runner.cli.resources", "models", "List or delete models; what an alias stood for."),
    "promote": ("runner.cli.promote", "promote", "Let an alias stand for a tuned model."),
    "rollback": ("runner.cli.promote", "rollback", "Let an alias stand for the model before."),
    "chat": ("runner.cli.chat", "chat", "Ask a tuned model."),
    "gc": ("runner.cli.gc", "gc", "Free the space of what is kept only to be quick."),
    "merge-lock": ("runner.cli.merge_lock", "merge_lock", "Merge lockfiles run by run, for git."),
    "doctor": ("runner.cli.doctor", "doctor", "Look whether this machine, or a host, is in order."),
    "dashboard": ("runner.cli.dashboard", "dashboard", "Open the jobs of a project in a browser."),
    "serve": ("runner.cli.serve", "serve", "Run the local service for any OpenAI client."),
}

# What the commands are for; each stands in one section, as in the README.
SECTIONS = {
    "Write": "init import validate preview render schema check explain tokens fmt diff",
    "Run": "build plan run status watch events cancel history chat predict",
    "Prove": "verify lock-check refresh rerun merge-lock eval compare why report track",
    "Serve": "promote rollback models export push serve dashboard",
    "Look after": "port doctor jobs files gc",
}


class LazyGroup(click.Group):
    """A group whose help needs none of the commands' modules."""

    def __init__(self, *args: Any, commands_by_name: dict[str, tuple[str, str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands_by_name = commands_by_name

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All command names, in the order of a first session."""
        return list(self.commands_by_name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command by name; None for an unknown one."""
        if cmd_name not in self.commands_by_name:
            return None
        module, attribute, _ = self.commands_by_name[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        command.epilog = examples_of(cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their help lines, by what they are for."""
        for title, names in SECTIONS.items():
            with formatter.section(title):
                # One width for all sections, so that their help lines stand below each other.
                lines = [(f"{name:<10}", self.commands_by_name[name][2]) for name in names.split()]
                formatter.write_dl(lines)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest one."""
        from runner.hints import did_you_mean

        if args and self.get_command(ctx, args[0]) is None:
            near = did_you_mean(args[0], list(self.commands_by_name))
            raise click.UsageError(f"no command '{args[0]}'. {near}", ctx=ctx)
        return super().resolve_command(ctx, args)
