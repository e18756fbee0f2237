"""Find what is wrong with a recipe's templates before any data is read."""

from pathlib import Path

from jinja2 import FunctionLoader, Template, meta, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.parser import Parser

from runner.display import one_line, shown
from runner.examples.allow_list import Problem, refusals
from runner.examples.lookalikes import lookalike_problems
from runner.examples.metering import SandboxError
from runner.examples.quick import Evaluate, Render, quick_render, quick_value
from runner.examples.sandbox import make_environment, parse_expression, rewrite
from runner.examples.template_files import read_template
from runner.hints import listed, nearest
from runner.project import Project
from runner.recipe.model import MessageTemplate, Recipe

# Includes may name the same file twice, and those again: the whole tree has to stay small.
MAX_INCLUDES = 50

# ValueError: numbers of thousands of digits; SyntaxError and MemoryError: loops too deep for Python.
_NOT_COMPILED = (TemplateSyntaxError, RecursionError, SyntaxError, MemoryError, ValueError)


class Library:
    """The environment of one recipe, and what its templates are checked against."""

    def __init__(self, recipe: Recipe, folder: Path, project: Project) -> None:
        self.fields = [field.name for field in recipe.fields]
        self.folder = folder
        self.project = project
        self.n_includes = 0
        self.environment = make_environment(FunctionLoader(self.read))

    def read(self, name: str) -> str:
        """The text of a template file. Raises SandboxError."""
        return read_template(name, self.folder, self.project)

    def content(self, message: MessageTemplate) -> str:
        """The template of a message. Raises SandboxError where its file cannot be used."""
        if message.content is not None:
            return message.content
        return self.read(message.content_file or "")

    def expression(self, source: str) -> Template:
        """Compile an expression that has no problems."""
        tree, _ = parse_expression(self.environment, source)
        return self.environment.from_string(rewrite(tree, self.environment))

    def quick_content(self, source: str) -> Render | None:
        """The template without problems as a plain function, where it is simple enough."""
        return quick_render(self.parse(source), frozenset(self.fields))

    def quick_expression(self, source: str) -> Evaluate | None:
        """The expression without problems as a plain function, where it is simple enough."""
        expression = Parser(self.environment, source, state="variable").parse_expression()
        return quick_value(expression, frozenset(self.fields))

    def field_problems(self, name: str) -> list[str]:
        """What is wrong with the name of a field."""
        if name in self.fields:
            return []
        hint = nearest(name, self.fields) or f"The fields are {listed(self.fields)}."
        return [f"found {shown(name)}, expected the name of a field. {hint}"]

    def where_problems(self, source: str) -> list[str]:
        """What is wrong with an expression over the fields."""
        lookalikes = lookalike_problems(self.environment, source, "variable")
        if lookalikes:
            return [sentence for _, sentence in lookalikes]
        try:
            tree, problems = parse_expression(self.environment, source)
            sentences = [sentence for _, sentence in problems] or self.unknown_names(tree, set())
            if not sentences:
                self.environment.from_string(rewrite(tree, self.environment))
        except _NOT_COMPILED as error:
            return [_syntax_sentence(error, "an expression")]
        return sentences

    def content_problems(self, message: MessageTemplate) -> list[str]:
        """What is wrong with the template of a message and all it includes."""
        try:
            source = self.content(message)
        except SandboxError as error:
            return [str(error)]
        is_long = "\n" in source.strip("\n")
        self.n_includes = 0
        problems = self.source_problems(source, (message.content_file or "",), set())
        return [f"line {line}: {text}" if is_long and line else text for line, text in problems]

    def source_problems(self, source: str, outer: tuple[str, ...], assigned: set[str]) -> list[Problem]:
        """The problems of a template and of what it includes; `assigned` are names set around it."""
        lookalikes = lookalike_problems(self.environment, source)
        if lookalikes:
            return lookalikes
        try:
            tree = self.parse(source)
            problems = list(refusals(tree))
            if not problems:
                assigned = assigned | {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
                problems = [(0, sentence) for sentence in self.unknown_names(tree, assigned)]
                problems += self.include_problems(tree, outer, assigned)
                self.environment.from_string(rewrite(tree, self.environment))
        except _NOT_COMPILED as error:
            return [(getattr(error, "lineno", None) or 0, _syntax_sentence(error, "a template"))]
        return problems

    def include_problems(
        self, tree: nodes.Template, outer: tuple[str, ...], assigned: set[str]
    ) -> list[Problem]:
        problems: list[Problem] = []
        for node in tree.find_all(nodes.Include):
            name = _included(node)
            self.n_includes += 1
            if name in outer:
                sentence = f"found {shown(name)} including itself, expected an end. Remove one `include`."
                problems.append((node.lineno, sentence))
                continue
            try:
                self.check_includes(self.n_includes)
                inner = self.source_problems(self.read(name), (*outer, name), assigned)
            except SandboxError as error:
                problems.append((node.lineno, str(error)))
                continue
            for line, text in inner:
                where = f"{shown(name)}, line {line}" if line else shown(name)
                problems.append((node.lineno, f"in {where}: {text}"))
        return problems

    def unknown_names(self, tree: nodes.Template, assigned: set[str]) -> list[str]:
        known = [*self.fields, *sorted(assigned)]
        unknown = sorted(meta.find_undeclared_variables(tree) - set(known))
        return [
            f"found the variable {shown(name)}, expected a field. "
            + (nearest(name, known) or f"The fields are {listed(self.fields)}.")
            for name in unknown
        ]

    def file_names(self, message: MessageTemplate) -> list[str]:
        """The files of a message, each as often as it is included."""
        own = [] if message.content_file is None else [message.content_file]
        return own + self.included_names(self.content(message))

    def included_names(self, source: str) -> list[str]:
        names: list[str] = []
        pending = [source]
        while pending:
            for node in self.parse(pending.pop()).find_all(nodes.Include):
                names.append(_included(node))
                self.check_includes(len(names))
                pending.append(self.read(names[-1]))
        return names

    def check_includes(self, n_includes: int) -> None:
        if n_includes > MAX_INCLUDES:
            raise SandboxError(f"found more than {MAX_INCLUDES} includes, expected less. Remove some.")

    def parse(self, source: str) -> nodes.Template:
        return Parser(self.environment, source).parse()


def _included(node: nodes.Include) -> str:
    if not isinstance(node.template, nodes.Const):
        raise SandboxError("found `include` of a name that is not written out, expected a path in quotes.")
    return str(node.template.value)


def _syntax_sentence(error: Exception, what: str) -> str:
    if isinstance(error, TemplateSyntaxError):
        reason = one_line(error.message or "no reason given", limit=200).rstrip(".")
        return f"found {what} that Jinja cannot read ({reason}), expected valid Jinja. Repair it."
    return f"found {what} with too many levels or too long a number, expected a simpler one. Simplify it."
