"""Settings of other tools: the recipe that comes of them, and what is said of every one.

A case is a configuration with two files beside it: `.recipe.yaml` and `.notes.txt`.
"""

from pathlib import Path

import pytest

from runner.converting.common import LOCAL_RATES, Site
from runner.converting.conversion import Note
from runner.converting.convert import Written, convert_file
from runner.errors import RunnerError
from runner.project import Project
from runner.recipe.load import load_recipe

HERE = Path(__file__).parent / "cases"
CASES = sorted(path for path in HERE.iterdir() if path.suffix in (".yml", ".json") or "factory" in path.stem)
CASES = [path for path in CASES if not path.name.endswith((".recipe.yaml", ".notes.txt"))]


def converted(path: Path) -> Written:
    recipe = path.with_name(f"{path.stem}.recipe.yaml")
    return convert_file(Site(file=path, recipe=recipe, project=Project(root=HERE.resolve())))


def told(note: Note) -> str:
    return " | ".join(part for part in (note.fate, note.key, note.value, note.text) if part)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_configuration_becomes_this_recipe(case: Path) -> None:
    made = converted(case)

    assert case.with_name(f"{case.stem}.recipe.yaml").read_text(encoding="utf-8") == made.text
    notes = "".join(f"{told(note)}\n" for note in made.notes)
    assert case.with_name(f"{case.stem}.notes.txt").read_text(encoding="utf-8") == notes


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_recipe_can_be_read(case: Path, project: Path) -> None:
    recipe = project / "recipe.yaml"
    recipe.write_text(converted(case).text, encoding="utf-8")

    assert case.stem.replace("_", "-") == load_recipe(recipe).recipe.name


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            "a: [",
            "found neither YAML nor JSON, expected the settings of a tool.",
        ),
        (
            "- 1",
            "found no settings of OpenAI, LLaMA-Factory, Axolotl, expected such a YAML or JSON file. "
            "For data, use `finetune init`; for a job, give its ID.",
        ),
        (
            "{model_name_or_path: m, stage: ppo}",
            "found the stage 'ppo', expected sft, dpo or kto. No recipe trains so.",
        ),
        ("{base_model: m, datasets: [a]}", "datasets[0]: found 'a', expected a mapping. Repair it."),
        (
            "{base_model: m, datasets: [{type: chat_template, path: a, roles: [b]}]}",
            "datasets[0].roles: found a list of 1, expected a mapping. Repair it.",
        ),
        (
            "{model: m, training_file: f, hyperparameters: 3}",
            "hyperparameters: found 3, expected a mapping. Repair it.",
        ),
        (
            "{model: m, training_file: f, method: {type: dpo, dpo: {hyperparameters: all}}}",
            "method.dpo.hyperparameters: found 'all', expected a mapping. Repair it.",
        ),
    ],
)
def test_what_cannot_be_converted_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "x.yml"
    path.write_text(content)
    with pytest.raises(RunnerError) as caught:
        convert_file(Site(file=path, recipe=tmp_path / "r.yaml", project=Project(root=tmp_path)))

    assert f"{path}: {problem}" == str(caught.value)


@pytest.mark.parametrize(
    ("info", "key", "found"),
    [
        ('{"faq": 7}', "faq", "7"),
        ('{"faq": {"columns": "a"}}', "faq.columns", "'a'"),
        ('{"faq": {"tags": true}}', "faq.tags", "true"),
    ],
)
def test_an_odd_dataset_info_is_named_with_its_key(tmp_path: Path, info: str, key: str, found: str) -> None:
    path = tmp_path / "x.yml"
    path.write_text("{model_name_or_path: m, stage: sft, dataset: faq, dataset_dir: .}")
    (tmp_path / "dataset_info.json").write_text(info)
    with pytest.raises(RunnerError) as caught:
        convert_file(Site(file=path, recipe=tmp_path / "r.yaml", project=Project(root=tmp_path)))

    assert f"{path}: dataset_info.json: {key}: found {found}, expected a mapping. Repair it." == str(
        caught.value
    )


@pytest.mark.parametrize("name", ["\\u0000", "\\ud800"])
def test_a_name_that_no_path_can_have_is_not_there(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(f'{{"model_name_or_path": "m", "stage": "sft", "dataset": "a", "dataset_dir": "{name}"}}')
    made = convert_file(Site(file=path, recipe=tmp_path / "r.yaml", project=Project(root=tmp_path)))

    assert "lost | dataset a | not in any dataset_info.json of the project; write its source by hand" in [
        told(note) for note in made.notes
    ]


@pytest.mark.torch
def test_the_rates_are_those_of_local_training() -> None:
    pytest.importorskip("trl", reason="trl (the extra `local`) is not installed")
    from runner.local.training.trainer_config import FULL_LEARNING_RATE, LORA_LEARNING_RATE

    assert {
        "lora": LORA_LEARNING_RATE,
        "qlora": LORA_LEARNING_RATE,
        "none": FULL_LEARNING_RATE,
    } == LOCAL_RATES
