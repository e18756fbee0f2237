"""Libraries that people would build the same dataset with; all of them do less of the work, as each says."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from common import Record, side_of, value_of

SIDES = ("train", "validation")
# Is told row, key, messages and side of each example.
Check = Callable[[int, str, list[dict[str, str]], str], None]


@cache
def compiled(content: str) -> Any:
    """A template, compiled in each process: it cannot be sent to one."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(undefined=StrictUndefined).from_string(content)


class Renderer:
    """Makes the messages of one record, with jmespath and sandboxed Jinja."""

    def __init__(self, recipe: dict[str, Any]) -> None:
        import jmespath

        self.split, self.key = recipe["split"], recipe["key"]
        self.messages = [(item["role"], item["content"]) for item in recipe["template"]["messages"]]
        specs = [
            (name, spec if isinstance(spec, dict) else {"path": spec})
            for name, spec in recipe["fields"].items()
        ]
        self.fields = [(name, jmespath.compile(spec["path"]), spec) for name, spec in specs]

    def __call__(self, record: Record) -> Record:
        """The messages, what `where` looks at, and the side of the split."""
        values = {name: value_of(path.search(record), spec) for name, path, spec in self.fields}
        turns = [
            {"role": role, "content": compiled(content).render(**values)} for role, content in self.messages
        ]
        side = side_of(values["title"], self.split)
        return {"messages": turns, "body": values["body"], "side": side, "key": record[self.key]}


def hugging_face(
    recipe: dict[str, Any], folder: Path, out: Path, check: Check | None = None, *, num_proc: int | None = 2
) -> None:
    """Hugging Face datasets: map, filter and to_json, in two processes or, as it does unasked, in this one.

    Less work: no hashes of what was read and written, and without `check` no look at the examples.
    """
    import datasets

    datasets.disable_progress_bars()
    render = Renderer(recipe)
    source = recipe["sources"][0]
    suffix = Path(source["path"]).suffix[1:]
    kind = suffix if suffix in ("csv", "parquet") else "json"
    options = {"field": source["records"]} if "records" in source else {}
    table = datasets.load_dataset(
        kind,
        data_files=str(folder / source["path"]),
        split="train",
        cache_dir=str(out / "cache"),
        **options,
    )
    table = table.map(render, remove_columns=table.column_names, num_proc=num_proc)
    table = table.filter(lambda row: len(row["body"]) >= 20, num_proc=num_proc)
    for row, item in enumerate(table, start=1) if check is not None else ():
        check(row, item["key"], item["messages"], item["side"])
    for side in SIDES:
        part = table.filter(lambda row, side=side: row["side"] == side, num_proc=num_proc)
        part.select_columns(["messages"]).to_json(out / f"{side}.jsonl", force_ascii=False)


def polars(recipe: dict[str, Any], folder: Path, out: Path) -> None:
    """polars expressions written by hand for these two recipes.

    Less work: no checks, no templates and so no sandbox, another split, all in memory, no hashes.
    """
    import polars as pl

    path = folder / recipe["sources"][0]["path"]
    if path.suffix == ".csv":
        frame = pl.read_csv(path)
    elif path.suffix == ".parquet":
        frame = pl.read_parquet(path)
    elif path.suffix == ".jsonl":
        frame = pl.read_ndjson(path)
    else:
        frame = pl.read_json(path, infer_schema_length=None)
        if "documents" in frame.columns:
            frame = frame.select(pl.col("documents").explode()).unnest("documents")
    if recipe["name"] == "crawl":
        title, category, body = pl.col("title"), pl.col("category"), pl.col("text")
    else:
        title, category = pl.col("main_title"), pl.col("breadcrumb").list.get(0)
        body = pl.col("sections").list.eval(pl.element().struct.field("text")).list.join("\n")
    frame = frame.select(
        title.alias("title"), category.alias("category"), body.str.strip_chars().alias("body")
    )
    frame = frame.filter(pl.col("body").str.len_chars() >= 20)
    texts = (
        ("system", pl.format("Category: {}", "category")),
        ("user", pl.format("{} 관련 내용을 알려줘.", "title")),
        ("assistant", pl.col("body")),
    )
    turns = [pl.struct(role=pl.lit(role), content=text) for role, text in texts]
    held = pl.col("title").hash(seed=7) < int(recipe["split"]["validation"] * 2**64)
    for side, chosen in zip(SIDES, (~held, held), strict=True):
        frame.filter(chosen).select(messages=pl.concat_list(turns)).write_ndjson(out / f"{side}.jsonl")


def duckdb(recipe: dict[str, Any], folder: Path, out: Path) -> None:
    """One DuckDB query written by hand for these two recipes.

    Less work: no checks, no templates and so no sandbox, another split, no hashes.
    """
    import duckdb as library

    path = folder / recipe["sources"][0]["path"]
    reader = {".csv": "read_csv", ".parquet": "read_parquet"}.get(path.suffix, "read_json_auto")
    options = ", maximum_object_size=4000000000" if path.suffix == ".json" else ""
    table = f"{reader}('{path}'{options})"
    if recipe["sources"][0].get("records"):
        table = f"(SELECT unnest(documents, recursive := false) AS d FROM {table})"
        table = f"(SELECT d.main_title, d.breadcrumb, d.sections FROM {table})"
    columns = (
        "title, category, text AS body"
        if recipe["name"] == "crawl"
        else "main_title AS title, breadcrumb[1] AS category, "
        "array_to_string(list_transform(sections, lambda s: s.text), chr(10)) AS body"
    )
    share = int(recipe["split"]["validation"] * 2**64)
    query = f"""
        CREATE TEMP VIEW examples AS
        WITH records AS (SELECT {columns} FROM {table}),
        tidy AS (SELECT title, category, trim(body, ' ' || chr(9) || chr(10) || chr(13)) AS body FROM records)
        SELECT hash(title) < {share}::UBIGINT AS held, [
            {{'role': 'system', 'content': 'Category: ' || category}},
            {{'role': 'user', 'content': title || ' 관련 내용을 알려줘.'}},
            {{'role': 'assistant', 'content': body}}
        ] AS messages FROM tidy WHERE length(body) >= 20
    """
    connection = library.connect(config={"threads": 2})
    connection.execute(query)
    for side, chosen in zip(SIDES, ("NOT held", "held"), strict=True):
        file = out / f"{side}.jsonl"
        connection.execute(f"COPY (SELECT messages FROM examples WHERE {chosen}) TO '{file}' (FORMAT json)")
