#!/bin/sh
# The main job from end to end: recipe, dataset, training, lockfile, answers. Called by `make demo`.
set -eu

say() { printf '\n$ %s\n' "$*"; }

say finetune run "$RECIPE"
"$BIN/finetune" run "$RECIPE"

say finetune run "$RECIPE" "   # a second run"
"$BIN/finetune" run "$RECIPE"

say head -n 20 "${RECIPE%.yaml}.lock.yaml"
head -n 20 "${RECIPE%.yaml}.lock.yaml"

say python benchmarks/recall.py "$RECIPE" "   # every training question, greedily, over the chat route"
"$BIN/python" benchmarks/recall.py "$RECIPE" --show 3
