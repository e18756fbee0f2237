"""Where an answer may come from."""

import json
from pathlib import Path

import pytest
import yaml

pytest.importorskip("bm25s", reason="bm25s (the extra `evaluation`) is not installed")

from tests.cli.conftest import Call


def test_the_nearest_record_is_told_with_file_row_and_words(local_recipe: Path, call: Call) -> None:
    found = call("why", "It is number 7.", "-n", "1", local_recipe)

    assert 0 == found.code
    head, *rest = found.out.splitlines()
    assert head.startswith("1. faq.jsonl: row 8, key 7: 100% of the text stands there, BM25 ")
    assert ["   user: What is 7?", "   assistant: It is number 7."] == rest


def test_a_record_is_told_once_by_the_nearest_of_its_variants(local_recipe: Path, call: Call) -> None:
    recipe = yaml.safe_load(local_recipe.read_text())
    question, answer = recipe.pop("template")["messages"]
    loud = {**question, "content": f"{question['content']} Say it loud!"}
    recipe["templates"] = [
        {"name": "calm", "messages": [question, answer]},
        {"name": "loud", "messages": [loud, answer]},
    ]
    local_recipe.write_text(json.dumps(recipe))
    found = call("why", "What is 7? Say it loud!", "-n", "2", local_recipe)

    assert 0 == found.code, found.err
    first, second = (line for line in found.out.splitlines() if line[:1].isdigit())
    assert first.startswith("1. faq.jsonl: row 8, key 7, variant loud: 100% of the text stands there, BM25 ")
    assert second.startswith("2. faq.jsonl: row ") and ", variant loud: " in second


def test_for_programs_with_score_and_share(local_recipe: Path, call: Call) -> None:
    found = call("why", "What is 11?", "-n", "2", local_recipe, "--json")

    assert 0 == found.code
    first, second = found.data["records"]
    assert ("11", 1.0, None, False) == (
        first["key"], first["share"], first["commit"], first["commit_is_of_row"],
    )  # fmt: skip
    assert first["score"] > second["score"] > 0


def test_escapes_of_the_data_do_nothing(local_recipe: Path, call: Call) -> None:
    with (local_recipe.parent / "faq.jsonl").open("a") as stream:
        stream.write('{"id": "x", "question": "붉은 \\u001b[31m글자", "answer": "네"}\n')

    assert "   user: 붉은 \\x1b[31m글자" in call("why", "붉은 글자", "-n", "1", local_recipe).out.splitlines()


def test_nothing_near_says_so(local_recipe: Path, call: Call) -> None:
    found = call("why", "ΩΩΩ", local_recipe)

    assert (0, "no training record shares anything with it\n") == (found.code, found.out)


def test_a_recipe_fetches_its_data_only_where_that_is_allowed(local_recipe: Path, call: Call) -> None:
    source = f"url: http://127.0.0.1:9/faq.jsonl\n    sha256: {'0' * 64}"
    local_recipe.write_text(local_recipe.read_text().replace("path: faq.jsonl", source))

    refused = call("why", "It is number 7.", local_recipe)
    allowed = call("why", "It is number 7.", "--allow-network", local_recipe)

    no_copy = "found no downloaded copy, expected one. Download it once with --allow-network."
    assert (1, f"http://127.0.0.1:9/faq.jsonl: {no_copy}\n") == (refused.code, refused.err)
    # Tried, and stopped where no recipe may go.
    assert "downloading http://127.0.0.1:9/faq.jsonl" == allowed.err.splitlines()[0]
