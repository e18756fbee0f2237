"""A project of twelve records and the entry of a hosted provider, as files."""

import json
import struct
from pathlib import Path

HOST_ENTRY = """\
name = "fake"
base_url = "{url}"
key_variable = "FAKE_API_KEY"
as_of = 2026-11-22
paid = true
keeps_metadata = {keeps_metadata}

[limits]
min_examples = {min_examples}
max_file_bytes = 536870912
max_suffix_characters = 18

[[models]]
name = "base-1"
max_example_tokens = 65536
training_usd_per_million_tokens = 1000.0
price_as_of = 2026-11-22

[[models]]
name = "base-0"
shutdown_date = 2025-01-01

[[models]]
name = "base-priceless"

[[notices]]
on = 2027-01-06
text = "no new jobs"
"""
RECIPE = """\
version: 1
name: faq
sources:
  - path: faq.jsonl
key: id
fields:
  question: question
  answer: answer
template:
  messages:
    - role: user
      content: "{{ question }}"
    - role: assistant
      content: "{{ answer }}"
training:
  provider: fake
  model: base-1
  hyperparameters:
    n_epochs: 2
"""


def write_host_entry(folder: Path, url: str, *, keeps_metadata: bool = True, min_examples: int = 10) -> Path:
    """Write the entry of a host called `fake` below a configuration folder; returns its file."""
    path = folder / "finetune" / "hosts" / "fake.toml"
    path.parent.mkdir(parents=True)
    keeps = str(keeps_metadata).lower()
    path.write_text(HOST_ENTRY.format(url=url, keeps_metadata=keeps, min_examples=min_examples))
    return path


def write_project(folder: Path, recipe: str = RECIPE) -> Path:
    """Write a recipe and its data to a folder that becomes a project; returns the recipe's file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "finetune.toml").touch()
    rows = [{"id": n, "question": f"What is {n}?", "answer": f"It is number {n}."} for n in range(12)]
    (folder / "faq.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = folder / "faq.yaml"
    path.write_text(recipe)
    return path


def write_model_folder(folder: Path) -> None:
    """Write a folder that looks like a chat model as long as nobody loads it."""
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "chat_template.jinja"):
        (folder / name).write_text("{}")
    # A header of two bytes, which names no tensor: https://huggingface.co/docs/safetensors (2026-11)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
