"""Draws docs/demo.svg: a terminal with the output of the demo's commands, run for the picture."""

import io
import re
import subprocess
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parent.parent
RECIPE = "recipes/online_guide.yaml"
QUESTION = "REST 연동 개요 관련 내용을 알려줘."
COMMANDS = (
    ("run", RECIPE),
    ("run", RECIPE),
    ("chat", RECIPE, QUESTION, "--system", "Category: 프로토콜"),
)
WIDTH = 110


def main() -> None:
    """Run the commands in the checkout and write the picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False)
    for command in COMMANDS:
        shown = " ".join(f'"{part}"' if " " in part else part for part in command)
        console.print(Text(f"$ finetune {shown}", style="bold green"), soft_wrap=False)
        done = subprocess.run(
            ["finetune", *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        console.print(Text(done.stdout), soft_wrap=False)
    # The fonts of the exported picture would be fetched from a server.
    svg = re.sub(
        r"@font-face \{.*?\}", "", console.export_svg(title="finetune", theme=MONOKAI), flags=re.DOTALL
    )
    (ROOT / "docs" / "demo.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
