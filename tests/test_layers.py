"""Imports point one way: a module imports only from those above it in docs/explanation/layout.md."""

import ast
import re
from pathlib import Path

RUNNER = Path(__file__).parent.parent / "runner"
# Top to bottom; a module may import from its own line and the lines above it.
LAYERS = (
    ("issues", "canonical", "clock", "display"),
    ("errors", "hints", "model_folder", "page"),
    ("project", "schema", "verdicts"),
    ("recipe",),
    ("sources",),
    ("examples",),
    ("dataset",),
    ("tokens",),
    ("aliases", "lock"),
    ("graders",),
    ("providers",),
    ("price",),
    ("planning", "token_report"),
    ("execution",),
    ("review",),
    ("evaluation", "predict"),
    ("report",),
    ("operator",),
    ("building", "sharing", "token_counts", "validation"),
    ("converting", "pipeline", "starter"),
    ("running",),
    ("evaluating", "upkeep"),
    ("checking", "fixing", "porting", "retirement", "doctor"),
    ("cli",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
LEAVES = {"errors", "issues", "canonical", "clock", "display", "model_folder"}
# The embedded service is an island: it may use the leaves and the graders, and only its starter and `serve`
# use it. The graders use the leaves alone, so that the island stays one.
LOCAL_MAY_USE = {"local", "graders", "page", *LEAVES}
GRADERS_MAY_USE = {"graders", *LEAVES}
MAY_USE_LOCAL = {"local", "providers/local_service.py", "cli/serve.py"}
HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "accelerate"}


def imports_of(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.append(node.module or "")
    return names


def modules() -> list[tuple[str, Path]]:
    return [(path.relative_to(RUNNER).as_posix(), path) for path in sorted(RUNNER.rglob("*.py"))]


def part_of(name: str) -> str:
    return name.split(".")[1] if name.count(".") else ""


def test_modules_import_only_from_above() -> None:
    wrong = []
    for file, path in modules():
        own = file.split("/")[0].removesuffix(".py")
        if own in ("__init__", "__main__", "local"):
            continue
        assert own in LEVEL, f"runner/{file} is in no layer"
        for name in imports_of(path):
            part = part_of(name) if name.startswith("runner.") else ""
            if part and part != "local" and LEVEL[part] > LEVEL[own]:
                wrong.append(f"{file} imports {name}")

    assert [] == wrong


def test_the_layout_is_explained_from_top_to_bottom() -> None:
    """Each module in one row of the page, in the order of the layers."""
    page = (RUNNER.parent / "docs" / "explanation" / "layout.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", page, re.M)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    there = {path.stem for path in RUNNER.iterdir() if path.name.strip("_") == path.name}

    assert sorted({*LEVEL, "local"}) == sorted(named) == sorted(there - {"py"})
    assert [LEVEL[name] for name in named[:-1]] == sorted(LEVEL[name] for name in named[:-1])


def test_the_local_service_is_an_island() -> None:
    wrong = []
    for file, path in modules():
        uses_local = any(name.startswith("runner.local") for name in imports_of(path))
        if uses_local and file.split("/")[0] not in MAY_USE_LOCAL and file not in MAY_USE_LOCAL:
            wrong.append(f"{file} imports the service")
        for package, allowed in (("local/", LOCAL_MAY_USE), ("graders/", GRADERS_MAY_USE)):
            if file.startswith(package):
                parts = {part_of(name) for name in imports_of(path) if name.startswith("runner.")}
                wrong += [f"{file} imports runner.{part}" for part in sorted(parts - allowed)]

    assert [] == wrong


def test_only_training_imports_the_training_libraries() -> None:
    wrong = [
        f"{file} imports {name}"
        for file, path in modules()
        for name in imports_of(path)
        if name.split(".")[0] in HEAVY and not file.startswith("local/training/")
    ]

    assert [] == wrong
