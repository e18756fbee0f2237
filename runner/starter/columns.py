"""What a sample of records has: the values, where each is read, and which part of an example it may be."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean
from typing import Any

# Names that crawls, exports and public datasets use for the parts of an example, most telling first.
KEYS = ("id", "key", "url", "uuid", "번호", "아이디")
QUESTIONS = (
    *("question", "prompt", "instruction", "query", "input", "q", "user"),
    *("질문", "질의", "물음", "문의", "문제", "지시문", "프롬프트", "입력"),
)
TITLES = ("title", "main_title", "name", "subject", "headline", "제목", "이름")
ANSWERS = (
    *("answer", "response", "output", "completion", "reply", "a", "assistant"),
    *("답변", "답", "대답", "응답", "정답", "답안", "출력", "본문"),
)
TEXTS = ("text", "body", "content", "description", "내용", "설명")
CATEGORIES = ("category", "topic", "section", "breadcrumb", "system", "분류", "카테고리", "주제")
CONVERSATIONS = ("messages", "conversation", "conversations", "turns", "dialogue", "대화")
SPEAKERS = ("role", "from", "speaker", "화자")
SPOKEN = ("content", "value", "text", "내용")
_SPECIAL = re.compile(r"[.\[\]|&@*?()]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A value that records have: where it is read, in how many sampled records, and its texts."""

    name: str
    path: str
    count: int
    texts: tuple[str, ...]
    join: bool = False

    @property
    def mean_length(self) -> float:
        """Mean characters of its texts."""
        return mean(map(len, self.texts)) if self.texts else 0.0

    def identifies(self, n_records: int) -> bool:
        """Whether every sampled record has it, each with another value."""
        return not self.join and len(set(self.texts)) == self.count == n_records


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Which column is which part of an example; None where a sample has none."""

    answer: Column
    question: Column
    category: Column | None = None


def find_columns(records: list[dict[str, Any]]) -> list[Column]:
    """The values that hold text in most records, nested lists included, in the order records have them."""
    names = dict.fromkeys(name for record in records for name in record)
    columns = [
        column
        for name in names
        for column in _columns_of(name, [record[name] for record in records if record.get(name) is not None])
    ]
    return [column for column in columns if 2 * column.count > len(records)]


def find_parts(columns: list[Column], key: Column | None) -> Parts | None:
    """Choose question, answer and category by name, else by length; None when there are not two texts."""
    free = [column for column in columns if column != key]
    asked = pick(free, QUESTIONS)
    others = [column for column in free if column != asked]
    longest = max(others, key=lambda column: column.mean_length, default=None)
    answer = pick(others, (*ANSWERS, *TEXTS)) or longest
    rest = [column for column in free if column != answer]
    question = pick(rest, (*QUESTIONS, *TITLES)) or _likely_question(rest)
    if answer is None or question is None:
        return None
    category = pick([column for column in rest if column != question], CATEGORIES)
    return Parts(answer=answer, question=question, category=category)


def find_key(columns: list[Column], n_records: int) -> Column | None:
    """The column that identifies a record, by its name and its values."""
    unique = [column for column in columns if column.identifies(n_records)]
    ending = (column for column in unique if column.name.lower().endswith(("id", "url")))
    return pick(unique, KEYS) or next(ending, None)


def reason(role: str, column: Column) -> str:
    """Why a column was chosen for a part of an example, or as the key."""
    if role == "key":
        return "another value in every record"
    if role == "category":
        return "named like a category"
    kinds = {"a question": QUESTIONS, "a title": TITLES, "an answer": ANSWERS, "a text": TEXTS}
    named = next(
        (kind for kind, names in kinds.items() if any(is_named(column, name) for name in names)), None
    )
    if named is not None:
        return f"named like {named}"
    return "the longest text" if role == "answer" else "the text that differs most"


def is_named(column: Column, name: str) -> bool:
    """Whether a column has a name, whatever its case and however its Hangul is composed."""
    return unicodedata.normalize("NFC", column.name).strip().lower() == name


def find_conversation(record: dict[str, Any]) -> tuple[str, str, str] | None:
    """The field, role key and content key of a conversation in a record; None where there is none."""
    for name, turns in record.items():
        if name.lower() not in CONVERSATIONS or not isinstance(turns, list) or not turns:
            continue
        keys = list(turns[0]) if isinstance(turns[0], dict) else []
        role = next((key for key in SPEAKERS if key in keys), None)
        content = next((key for key in SPOKEN if key in keys), None)
        if role and content:
            return name, role, content
    return None


def pick(columns: list[Column], names: tuple[str, ...]) -> Column | None:
    """The column with the most telling name."""
    for name in names:
        for column in columns:
            if is_named(column, name) and column.texts:
                return column
    return None


def _columns_of(name: str, values: list[Any]) -> Iterator[Column]:
    scalars = [value for value in values if isinstance(value, str | int)]
    lists = [value for value in values if isinstance(value, list) and value]
    if scalars:
        path = f'"{name}"' if _SPECIAL.search(name) else name
        yield Column(name=name, path=path, count=len(values), texts=tuple(map(str, scalars)))
    elif lists and all(isinstance(value[0], str) for value in lists):
        texts = tuple(value[0] for value in lists)
        yield Column(name=name, path=f"{_step(name)}[0]", count=len(lists), texts=texts)
    else:
        yield from _nested_columns(name, lists)


def _nested_columns(name: str, lists: list[list[Any]]) -> Iterator[Column]:
    items = [[item for item in value if isinstance(item, dict)] for value in lists]
    for key in dict.fromkeys(key for value in items for item in value for key in item):
        joined = ("\n".join(item[key] for item in value if isinstance(item.get(key), str)) for value in items)
        texts = tuple(text for text in joined if text)
        yield Column(name=key, path=f"{_step(name)}[].{_step(key)}", count=len(texts), texts=texts, join=True)


def _step(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else f'"{name}"'


def _likely_question(columns: list[Column]) -> Column | None:
    texts = [column for column in columns if 2 <= column.mean_length <= 300 and not column.join]
    return max(texts, key=lambda column: (len(set(column.texts)), column.mean_length), default=None)
