"""The command lines that a command's help ends with."""

EXAMPLES = {
    "init": ("init data.csv", "init data/guide.json --out recipes/guide.yaml"),
    "schema": ("schema > recipe.schema.json", "schema lockfile"),
    "validate": ("validate recipes/*.yaml", "validate recipes/faq.yaml --set training.seed=3"),
    "render": ("render recipes/faq.yaml --profile openai", "render recipes/faq.yaml --no-origin"),
    "fmt": ("fmt", "fmt --check recipes/*.yaml", "fmt - < recipes/faq.yaml"),
    "port": ("port recipes/faq.yaml --to nebius --model Qwen/Qwen3-32B --dry-run",),
    "preview": ("preview recipes/faq.yaml -n 5", "preview recipes/faq.yaml --profile openai"),
    "build": ("build recipes/faq.yaml", "build recipes/faq.yaml --out built"),
    "check": ("check", "check --fix recipes/faq.yaml", "check train.jsonl --model gpt-4.1-mini-2025-04-14"),
    "explain": ("explain", "explain FT108"),
    "tokens": ("tokens recipes/faq.yaml --profile openai",),
    "plan": ("plan recipes/faq.yaml", "plan recipes/faq.yaml --profile openai --out faq.plan"),
    "diff": ("diff recipes/faq.yaml", "diff main --recipe recipes/faq.yaml --format markdown"),
    "verify": ("verify recipes/faq.yaml", "verify recipes/faq.yaml --remote"),
    "lock-check": ("lock-check", "lock-check recipes/faq.yaml"),
    "run": ("run recipes/faq.yaml", "run recipes/faq.yaml --profile openai --max-cost 5", "run faq.plan"),
    "status": ("status recipes/faq.yaml", "status --check-retirement 60d"),
    "watch": ("watch recipes/faq.yaml", "watch ftjob-abc123 --provider openai"),
    "eval": ("eval recipes/faq.yaml", "eval recipes/faq.yaml --show 0 --max-cost 1"),
    "compare": (
        "compare recipes/old.yaml recipes/new.yaml",
        "compare tiny-1 production --recipe recipes/faq.yaml",
    ),
    "report": ("report recipes/faq.yaml -o faq.html", "report recipes/faq.yaml --format markdown"),
    "predict": ("predict new.jsonl recipes/faq.yaml > answers.jsonl",),
    "why": ('why "How long is delivery?" recipes/faq.yaml',),
    "track": ("track recipes/faq.yaml --to mlflow",),
    "export": ("export model recipes/faq.yaml", "export model recipes/faq.yaml --merge"),
    "push": ("push owner/name recipes/faq.yaml --allow-network",),
    "rerun": ("rerun recipes/faq.yaml",),
    "refresh": ("refresh recipes/faq.yaml",),
    "import": (
        "import axolotl.yaml --out recipes/faq.yaml",
        "import ftjob-abc123 recipes/faq.yaml --profile openai",
    ),
    "history": ("history recipes/faq.yaml",),
    "events": ("events recipes/faq.yaml", "events ftjob-abc123 --provider openai --limit 20"),
    "cancel": ("cancel recipes/faq.yaml",),
    "jobs": ("jobs", "jobs --provider openai --limit 50"),
    "files": ("files list --provider openai", "files delete file-abc123 --provider openai"),
    "models": ("models list", "models --on 2026-11-01"),
    "promote": ('promote production recipes/faq.yaml --reason "better answers"',),
    "rollback": ('rollback production --reason "worse answers"',),
    "chat": ('chat recipes/faq.yaml "How long is delivery?"', "chat production"),
    "gc": ("gc --dry-run", "gc --max-size 2GiB"),
    "merge-lock": ("merge-lock --install",),
    "doctor": ("doctor", "doctor --provider openai"),
    "dashboard": ("dashboard --open", "dashboard --follow"),
    "serve": ("serve", "serve --port 8000 --max-jobs 2", "serve --stop"),
}


def examples_of(name: str) -> str:
    """A command's examples as click takes the end of a help page, each on a line of its own."""
    lines = "\n".join(f"  finetune {line}" for line in EXAMPLES[name])
    return f"\b\nExamples:\n{lines}"
