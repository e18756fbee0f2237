"""Crawled records, half Korean and half English, the same for the same seed, in four formats."""

import csv
import json
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

KOREAN = [
    "온라인",
    "가이드",
    "연동",
    "방법",
    "관리자",
    "화면에서",
    "설정을",
    "열고",
    "인증",
    "키를",
    "발급받은",
    "다음",
    "요청",
    "헤더에",
    "넣어",
    "보냅니다",
    "결제",
    "취소",
    "주문",
    "배송",
    "조회",
    "회원",
    "응답",
    "코드가",
    "다르면",
    "본문의",
    "오류",
    "항목을",
    "확인하고",
    "다시",
    "시도하세요",
    '"따옴표"',
    "표",
]
ENGLISH = [
    "the",
    "request",
    "must",
    "carry",
    "an",
    "access",
    "token",
    "in",
    "its",
    "header",
    "before",
    "the",
    "service",
    "answers",
    "with",
    "a",
    "list",
    "of",
    "orders,",
    "delivery",
    "states",
    "and",
    '"quoted"',
    "names;",
    "a",
    "retry",
    "is",
    "safe",
    "when",
    "the",
    "key",
    "of",
    "the",
    "call",
    "stays",
    "the",
    "same",
]
SEED = 20_261_122
VALIDATION = 0.1

# One shape per recipe: where its template variables come from, and its messages.
CRAWL = """\
version: 1
name: crawl
sources: [{path: data.SUFFIX}]
key: url
fields:
  title: title
  category: category
  body: {path: text, trim: true}
where: body | length >= 20
template:
  messages:
    - {role: system, content: "Category: {{ category }}"}
    - {role: user, content: "{{ title }} 관련 내용을 알려줘."}
    - {role: assistant, content: "{{ body }}"}
split: {validation: 0.1, group_by: title, seed: 7, near_repeats: keep}
training: {provider: openai, model: gpt-4.1-mini-2025-04-14}
"""
# The fields of recipes/online_guide.yaml.
GUIDE = """\
version: 1
name: guide
sources: [{path: data.SUFFIX, RECORDS}]
key: url
fields:
  title: main_title
  category: breadcrumb[0]
  body: {path: "sections[].text", join: "\\n", default: "", trim: true}
where: body | length >= 20
template:
  messages:
    - {role: system, content: "Category: {{ category }}"}
    - {role: user, content: "{{ title }} 관련 내용을 알려줘."}
    - {role: assistant, content: "{{ body }}"}
split: {validation: 0.1, group_by: title, seed: 7, near_repeats: keep}
training: {provider: openai, model: gpt-4.1-mini-2025-04-14}
"""
RECIPES = {"crawl": CRAWL, "guide": GUIDE}
# A CSV has no lists, which the guide's records consist of.
FORMATS = {"crawl": ("jsonl", "json", "csv", "parquet"), "guide": ("jsonl", "json", "parquet")}
# What every 200th text ends with, so that the checks have something to find.
PLANTED = (
    "문의: minji.kim@" + "dewlatch.co.kr",
    "Call 010-2345-" + "6789 for help.",
    "안녕하세요 {{ customer_name }} 님.",
    "Price: None",
    "7일\u200b 안에 신청하세요.",
)
ROWS_PER_GROUP = 20_000


def records(shape: str, count: int) -> Iterator[dict[str, Any]]:
    """Yield records of 1.3 kB on average; every tenth is too short and left out by `where`."""
    random_ = random.Random(SEED)
    make = _crawled if shape == "crawl" else _documented
    for number in range(count):
        yield make(random_, number)


def write_project(folder: Path, shape: str, suffix: str, count: int) -> Path:
    """Write a project with `count` records and its recipe; returns the recipe's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "finetune.toml").touch()
    recipe = folder / f"{shape}-{suffix}.yaml"
    inside = "records: documents" if suffix == "json" else "encoding: utf-8"
    text = RECIPES[shape].replace("SUFFIX", suffix).replace("RECORDS", inside)
    if suffix == "parquet":
        text = text.replace(", encoding: utf-8", "")
    recipe.write_text(text, encoding="utf-8")
    data = folder / f"data.{suffix}"
    if suffix == "parquet":
        _write_parquet(data, records(shape, count))
        return recipe
    with data.open("w", encoding="utf-8", newline="") as stream:
        if suffix == "csv":
            writer = csv.DictWriter(stream, ["url", "title", "category", "text", "crawled_at", "status"])
            writer.writeheader()
            writer.writerows(records(shape, count))
        elif suffix == "jsonl":
            stream.writelines(
                json.dumps(record, ensure_ascii=False) + "\n" for record in records(shape, count)
            )
        else:
            opening, end = (
                ('{"site": {"name": "가이드"}, "documents": [', "]}") if shape == "guide" else ("[", "]")
            )
            stream.write(opening)
            for number, record in enumerate(records(shape, count)):
                stream.write((", " if number else "") + json.dumps(record, ensure_ascii=False))
            stream.write(end)
    return recipe


def _write_parquet(path: Path, found: Iterator[dict[str, Any]]) -> None:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    writer = None
    while rows := list(islice(found, ROWS_PER_GROUP)):
        table = pyarrow.Table.from_pylist(rows)
        writer = writer or ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _crawled(random_: random.Random, number: int) -> dict[str, Any]:
    words, n_words = (KOREAN, 140) if number % 2 else (ENGLISH, 200)
    return {
        "url": f"https://guide.example.com/pages/{number}",
        "title": f"{_sentence(random_, words, 5)} {number}",
        "category": _sentence(random_, words, 2),
        "text": "짧음" if number % 10 == 9 else _text(random_, words, n_words) + _planted(number),
        "crawled_at": "2026-03-04T02:41:07+09:00",
        "status": "200",
    }


def _documented(random_: random.Random, number: int) -> dict[str, Any]:
    words, n_words = (KOREAN, 35) if number % 2 else (ENGLISH, 48)
    n_sections = 0 if number % 10 == 9 else 4
    return {
        "url": f"https://guide.example.com/ko/{number}",
        "main_title": f"{_sentence(random_, words, 5)} {number}",
        "breadcrumb": [_sentence(random_, words, 2), _sentence(random_, words, 2)],
        "sections": [
            {
                "heading": _sentence(random_, words, 3),
                "text": _text(random_, words, n_words) + (_planted(number) if last else ""),
            }
            for last in [False] * (n_sections - 1) + [True] * (n_sections > 0)
        ],
        "last_modified": 1_767_751_200 + number,
        "view_count": "4,812",
    }


def _planted(number: int) -> str:
    return f"\n{PLANTED[number // 200 % len(PLANTED)]}" if number % 200 == 0 else ""


def _sentence(random_: random.Random, words: list[str], n_words: int) -> str:
    return " ".join(random_.choices(words, k=n_words))


def _text(random_: random.Random, words: list[str], n_words: int) -> str:
    n_words = random_.randint(n_words // 2, n_words * 3 // 2)
    return _sentence(random_, words, n_words // 2) + ".\n" + _sentence(random_, words, n_words // 2)
