"""Asks a tuned model every question of its training file and counts the answers that come back exactly."""

import argparse
import json
import os
import sys
from pathlib import Path

from runner.lock.lockfile import read_lockfile
from runner.project import find_project
from runner.providers.base import ChatRequest
from runner.providers.connect import open_provider
from runner.providers.hosts import find_host
from runner.recipe.load import load_recipe

ENOUGH = 0.95


def main() -> int:
    """Print the share of exact answers; exit with 1 below ENOUGH."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--show", type=int, default=0, help="print this many questions with their answers")
    arguments = parser.parse_args()
    loaded = load_recipe(arguments.recipe)
    run = read_lockfile(loaded.lock_path).runs["default"]
    if run.job is None or run.job.fine_tuned_model is None:
        sys.exit("no tuned model yet: finetune run first")
    state = find_project(arguments.recipe).state
    provider = open_provider(find_host(run.job.provider), state, os.environ)
    lines = (
        (state / "datasets" / f"{run.training_file.file.sha256}.jsonl")
        .read_text(encoding="utf-8")
        .split("\n")
    )
    examples = [json.loads(line)["messages"] for line in lines if line]
    exact = 0
    for number, messages in enumerate(examples):
        request = ChatRequest(model=run.job.fine_tuned_model, messages=tuple(messages[:-1]))
        answer = "".join(provider.chat(request))
        exact += answer == messages[-1]["content"]
        if number < arguments.show:
            print(f"\n> {messages[-2]['content']}\n{answer}")
    print(f"\n{exact} of {len(examples)} training questions answered exactly ({exact / len(examples):.0%})")
    return 0 if exact / len(examples) >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main())
