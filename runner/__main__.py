"""`python -m runner` is `finetune`."""

from runner.cli.main import main

main()
