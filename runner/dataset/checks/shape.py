"""Rules about who speaks when."""

from collections.abc import Iterator

from runner.dataset.checks.conversation import INSTRUCTIONS, Conversation, has_unusual_roles, is_rich
from runner.dataset.checks.hits import Values
from runner.dataset.checks.marks import ENDS
from runner.dataset.checks.rule import ExampleRule, Rule, Setup
from runner.dataset.checks.samples import ask, talk
from runner.display import shown

ROLES = ("system", "developer", "user", "assistant", "tool")
# White space, and what has no width: a message of nothing else is empty to a reader.
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
NOTHING: Values = {}


def no_user(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT102."""
    if not any(turn.role == "user" for turn in conversation.turns):
        yield NOTHING


def no_answer(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT103. A task has no answer, and the answers of a preference are FT122's."""
    if conversation.kind != "chat":
        return
    if not conversation.turns or conversation.turns[-1].role != "assistant":
        yield NOTHING


def empty(conversation: Conversation, _setup: Setup) -> Iterator[Values]:
    """FT104. A call of a tool needs no text beside it, and an image none either."""
    for _, turn in conversation.places():
        visible = turn.content.strip().strip(_INVISIBLE).strip()
        if not visible and not turn.tool_calls and not turn.images:
            yield NOTHING


def late_system(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT105."""
    roles = [turn.role for turn in conversation.turns]
    first_other = next((index for index, role in enumerate(roles) if role not in INSTRUCTIONS), len(roles))
    if any(role in INSTRUCTIONS for role in roles[first_other:]):
        yield NOTHING


def unknown_role(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT113."""
    for number, turn in enumerate((*conversation.turns, *conversation.rejected), start=1):
        if turn.role not in ROLES:
            yield {"where": f"message {number}", "found": shown(turn.role)}


def wrong_weight(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT116."""
    for place, turn in conversation.places():
        if turn.weight is None:
            continue
        is_number = isinstance(turn.weight, int) and not isinstance(turn.weight, bool)
        if turn.role != "assistant" or not is_number or turn.weight not in (0, 1):
            yield {"where": place, "found": shown(turn.weight)}


def nothing_trained(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT117."""
    answers = [turn for turn in conversation.turns if turn.role == "assistant"]
    if conversation.kind == "chat" and answers and not any(turn.is_trained for turn in answers):
        yield NOTHING


SHAPE_RULES = (
    ExampleRule(
        Rule(
            code="FT102",
            name="no-user-message",
            level="error",
            problem="an example has no user message, expected at least one.",
            advice="Add it to the template or data.",
            description="Every example has a message of the user.",
            why="Without a question the model learns to speak unasked, and a chat never begins that way.",
            bad=talk(("system", "Be kind."), ("assistant", "Hello.")),
            good=talk(("system", "Be kind."), ("user", "Hello?"), ("assistant", "Hello.")),
        ),
        no_user,
        when=has_unusual_roles,
    ),
    ExampleRule(
        Rule(
            code="FT103",
            name="no-answer-at-the-end",
            level="error",
            is_enforced=True,
            problem="an example does not end with an assistant message, expected the answer there.",
            advice="End the template or data with role assistant.",
            description="Every example ends with a message of the assistant.",
            why="The last message is what supervised training learns; hosted services refuse anything else "
            "there.",
            bad=talk(("user", "Hello?"), ("assistant", "Hello."), ("user", "How are you?")),
            good=ask("Hello?", "Hello."),
        ),
        no_answer,
        when=has_unusual_roles,
    ),
    ExampleRule(
        Rule(
            code="FT104",
            name="empty-message",
            level="error",
            problem="a message is empty, expected text.",
            advice="Fill the field, or leave the record out with `where`.",
            description="No message is empty, white space or invisible characters alone.",
            why="An empty answer teaches the model to say nothing; an empty question, to answer anything.",
            bad=ask("반품은 어떻게 하나요?", " \n"),
            good=ask("반품은 어떻게 하나요?", "7일 안에 신청하세요."),
        ),
        empty,
        mark=ENDS,
    ),
    ExampleRule(
        Rule(
            code="FT105",
            name="late-system-message",
            level="error",
            problem="a system message stands after another role, expected it first.",
            advice="Move it to the front.",
            description="System and developer messages stand before all others.",
            why="Chat formats put instructions first; elsewhere many models ignore them or refuse the "
            "example.",
            bad=talk(("user", "Hello?"), ("system", "Be kind."), ("assistant", "Hello.")),
            good=talk(("system", "Be kind."), ("user", "Hello?"), ("assistant", "Hello.")),
        ),
        late_system,
        when=has_unusual_roles,
    ),
    ExampleRule(
        Rule(
            code="FT113",
            name="unknown-role",
            level="error",
            is_enforced=True,
            problem="{where} has the role {found}, expected system, developer, user, assistant or tool.",
            advice="Rename the role.",
            description="Every message has a role that hosted services know.",
            why="Hosted services refuse the file, often only after the job was queued.",
            bad=talk(("human", "Hello?"), ("assistant", "Hello.")),
            good=ask("Hello?", "Hello."),
        ),
        unknown_role,
        when=has_unusual_roles,
    ),
    ExampleRule(
        Rule(
            code="FT116",
            name="wrong-weight",
            level="error",
            is_enforced=True,
            problem="{where} has the weight {found}, expected 0 or 1, and on assistant messages alone.",
            advice="Correct it, or leave it out.",
            description="`weight` is 0 or 1 and stands on assistant messages only.",
            why="Hosted services refuse any other weight.",
            bad=talk(("user", "Hello?"), {"role": "assistant", "content": "Hello.", "weight": 0.5}),
            good=talk(
                ("user", "Hello?"),
                {"role": "assistant", "content": "Hm.", "weight": 0},
                ("user", "Sorry?"),
                {"role": "assistant", "content": "Hello.", "weight": 1},
            ),
        ),
        wrong_weight,
        when=is_rich,
    ),
    ExampleRule(
        Rule(
            code="FT117",
            name="nothing-to-learn",
            level="error",
            is_enforced=True,
            problem="every assistant message of an example has weight 0, expected one to learn from.",
            advice="Raise a weight to 1, or leave the example out.",
            description="At least one assistant message of an example has weight 1.",
            why="An example without a trained message costs tokens and teaches nothing.",
            bad=talk(("user", "Hello?"), {"role": "assistant", "content": "Hello.", "weight": 0}),
            good=talk(("user", "Hello?"), {"role": "assistant", "content": "Hello.", "weight": 1}),
        ),
        nothing_trained,
        when=is_rich,
    ),
)
