"""Make tiny-1's tokenizer from the corpus beside this script.

    python scripts/make_tiny_tokenizer.py

A byte-level BPE whose alphabet is all 256 bytes, so that any text survives encoding and decoding. The same
corpus gives the same file on every run; a test compares it with the committed one.
"""

import json
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "scripts" / "tiny_corpus.txt"
TOKENIZER = ROOT / "runner" / "local" / "training" / "tiny_1" / "tokenizer.json"
# Names and order are part of tiny-1: the ids 0 to 3 follow from them.
SPECIAL_TOKENS = ("<|pad|>", "<|im_start|>", "<|im_sep|>", "<|im_end|>")
VOCABULARY_SIZE = 2048


def train_tokenizer(corpus: str, vocabulary_size: int = VOCABULARY_SIZE) -> Tokenizer:
    """Learn the merges of a byte-level BPE from a text, one line at a time."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=list(SPECIAL_TOKENS),
        # Sorted, because the alphabet is a set and its order decides the ids.
        initial_alphabet=sorted(ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus.splitlines(), trainer)
    return tokenizer


def tokenizer_json(tokenizer: Tokenizer) -> str:
    """Write a tokenizer compactly, with one final newline."""
    content = json.loads(tokenizer.to_str())
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def main() -> None:
    """Read the corpus and replace the committed tokenizer."""
    tokenizer = train_tokenizer(CORPUS.read_text(encoding="utf-8"))
    TOKENIZER.parent.mkdir(parents=True, exist_ok=True)
    TOKENIZER.write_text(tokenizer_json(tokenizer), encoding="utf-8", newline="\n")
    print(f"{TOKENIZER.relative_to(ROOT)}: {tokenizer.get_vocab_size()} tokens")


if __name__ == "__main__":
    main()
