"""Whether a query only reads its tables and gives the same rows every time, judged by its syntax tree."""

import json
from collections.abc import Iterator
from typing import Any

from runner.display import one_line, shown
from runner.hints import did_you_mean

# Tables made of nothing but the query's own values.
_TABLE_FUNCTIONS = {"generate_series", "range", "unnest"}
_FROM = {"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST", "TABLE_FUNCTION", "PIVOT"}
# Names that stand for the clock or the session where no column is called so.
_CLOCKS = {
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "user",
}
# Not marked as such by DuckDB: the first compares with today, the other draws.
_ALSO_VARYING = {"age", "reservoir_quantile"}

Node = dict[str, Any]


def query_problem(connection: Any, query: str, tables: set[str]) -> str:
    """Say what in a query is not allowed; empty where nothing is."""
    [text] = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchone()
    tree = json.loads(text)
    if tree["error"]:
        if tree["error_type"] == "not implemented":
            return "found a statement that is not a SELECT, expected one. Change it."
        reason = one_line(tree["error_message"].split("\n")[0], limit=160)
        return f"found one that cannot be parsed ({reason}), expected one SELECT. Correct it."
    if len(tree["statements"]) != 1:
        return "found several statements, expected one SELECT. Keep one."
    top = tree["statements"][0]["node"]
    known = {table.lower() for table in tables} | {name.lower() for name in _common_tables(top)}
    stable = _stable_functions(connection)
    found = next((problem for node in _nodes(top) if (problem := _problem(node, known, stable))), "")
    if not found and "ORDER_MODIFIER" not in [item["type"] for item in top["modifiers"]]:
        return (
            "found no ORDER BY at its end, expected one: without it the order of the records is not fixed. "
            "Add it."
        )
    return found


def _stable_functions(connection: Any) -> set[str]:
    """Functions that DuckDB itself calls consistent under every signature, and macros made of such."""
    rows = connection.execute(
        "SELECT lower(function_name), function_type, stability, lower(coalesce(macro_definition, '')) "
        "FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', 'window', 'macro')"
    ).fetchall()
    varying = {
        name for name, _, stability, _ in rows if stability not in (None, "CONSISTENT")
    } | _ALSO_VARYING
    doubtful = varying | _CLOCKS
    stable = {name for name, kind, _, _ in rows if kind != "macro"}
    stable |= {
        name
        for name, kind, _, definition in rows
        if kind == "macro" and not any(word in definition for word in doubtful)
    }
    return stable - varying


def _nodes(value: Any) -> Iterator[Node]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield item
            stack += item.values()
        elif isinstance(item, list):
            stack += item


def _common_tables(top: Node) -> Iterator[str]:
    for node in _nodes(top):
        for entry in node.get("cte_map", {}).get("map", []):
            yield entry["key"]


def _problem(node: Node, known: set[str], stable: set[str]) -> str:
    if node.get("sample"):
        return "found TABLESAMPLE, which draws anew every time, expected none. Use `sample` of the recipe."
    if "at_clause" in node or "from_table" in node:
        table = node.get("from_table", node)
        if table["type"] not in _FROM:
            return f"found {one_line(table['type'])}, expected one SELECT of the tables. Change it."
    if node.get("type") == "BASE_TABLE":
        return _table_problem(node, known)
    if node.get("type") == "TABLE_FUNCTION":
        name = node["function"].get("function_name", "")
        if name.lower() not in _TABLE_FUNCTIONS:
            return f"found the table function {shown(name)}, expected only the sources in `tables`. Name one."
        return ""
    return _expression_problem(node, stable)


def _expression_problem(node: Node, stable: set[str]) -> str:
    if node.get("class") == "FUNCTION":
        name = str(node.get("function_name", ""))
        if name.lower() not in stable | _TABLE_FUNCTIONS:
            expected = "one that gives the same result every time"
            return f"found the function {shown(name)}, expected {expected}. Remove it."
    if node.get("class") == "COLUMN_REF" and len(node["column_names"]) == 1:
        name = node["column_names"][0]
        if name.lower() in _CLOCKS:
            return f"found {shown(name)}, expected no clock and no user. Write the value out."
    return ""


def _table_problem(node: Node, known: set[str]) -> str:
    name = node.get("table_name", "")
    if node.get("schema_name") or node.get("catalog_name") or name.lower() not in known:
        full = ".".join(part for part in (node.get("catalog_name"), node.get("schema_name"), name) if part)
        hint = did_you_mean(name, known)
        return f"found the table {shown(full)}, expected a source that `tables` names. {hint}"
    return ""
