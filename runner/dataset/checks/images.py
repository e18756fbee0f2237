"""Rules about images, which hosted services bound in number, size, place and format."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator

from runner.dataset.checks.columns import Columns
from runner.dataset.checks.conversation import Conversation, is_rich
from runner.dataset.checks.hits import Hit, Origin, Values
from runner.dataset.checks.rule import DatasetRule, ExampleRule, Rule, Setup, Totals
from runner.dataset.checks.samples import talk

_DATA = re.compile(r"data:image/(jpeg|png|webp);base64,")
# The first bytes of JPEG, PNG and WEBP files.
_MAGIC = {"jpeg": (b"\xff\xd8\xff",), "png": (b"\x89PNG\r\n\x1a\n",), "webp": (b"RIFF",)}
_PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)


def refused_image(conversation: Conversation, setup: Setup) -> Iterator[Values]:
    """FT118."""
    n_images = 0
    for place, turn in conversation.places():
        n_images += len(turn.images)
        if turn.images and turn.role != "user":
            yield {"found": f"{place} has an image", "expected": "images in user messages alone"}
        for url in turn.images:
            problem = _image_problem(url, setup.limits.max_image_bytes)
            if problem:
                yield {"found": f"{place} has {problem[0]}", "expected": problem[1]}
    if n_images > setup.limits.max_images:
        yield {
            "found": f"an example has {n_images} images",
            "expected": f"at most {setup.limits.max_images}",
        }


def image_for_nobody(conversation: Conversation, setup: Setup) -> Iterator[Values]:
    """FT126."""
    if not setup.limits.takes_images and any(turn.images for _, turn in conversation.places()):
        yield {}


def _image_problem(url: str, max_bytes: int) -> tuple[str, str] | None:
    if url.startswith(("https://", "http://")):
        return None
    match = _DATA.match(url)
    if match is None:
        return "an image of another kind", "an http address, or JPEG, PNG or WEBP as a data URL"
    content = url[match.end() :]
    if len(content) * 3 // 4 > max_bytes:
        return f"an image of {len(content) * 3 // 4:,} bytes", f"at most {max_bytes:,}"
    try:
        head = base64.b64decode(content[:32], validate=True)
    except (binascii.Error, ValueError):
        return "an image that is not base64", "base64 after the comma"
    if not head.startswith(_MAGIC[match.group(1)]):
        return f"an image that is not {match.group(1)}", "the format that the data URL names"
    return None


class _ImageExamples:
    """Counts the examples with images."""

    def __init__(self, setup: Setup) -> None:
        self.limit = setup.limits.max_image_examples
        self.n_examples = 0

    def observe(self, examples: Columns) -> Iterable[tuple[int, Hit]]:
        """Nothing: only their number counts."""
        self.n_examples += examples.n_images
        return ()

    def finish(self, totals: Totals) -> Iterable[tuple[Origin | None, Hit]]:
        """FT119."""
        if self.n_examples > self.limit:
            yield None, Hit("FT119", {"found": f"{self.n_examples:,}", "limit": f"{self.limit:,}"})


def _picture(role: str, url: str) -> dict[str, object]:
    image = {"type": "image_url", "image_url": {"url": url}}
    return {"role": role, "content": [{"type": "text", "text": "What is this?"}, image]}


IMAGE_RULES = (
    ExampleRule(
        Rule(
            code="FT118",
            name="refused-image",
            level="error",
            is_enforced=True,
            problem="{found}, expected {expected}.",
            advice="Change or leave out the image.",
            description="Images are few, small, in user messages, and JPEG, PNG or WEBP.",
            why="Hosted services refuse other images, or train without them and say nothing.",
            bad=talk(_picture("user", "data:image/gif;base64,R0lGODlhAQABAAAAACw="), ("assistant", "A dot.")),
            good=talk(_picture("user", _PIXEL), ("assistant", "A dot.")),
        ),
        refused_image,
        when=is_rich,
    ),
    ExampleRule(
        Rule(
            code="FT126",
            name="image-for-a-model-without-eyes",
            level="error",
            is_enforced=True,
            problem="an example has an image, which the model is not trained with; expected text alone.",
            advice="Choose a model that takes images, or leave the images out.",
            description="Images go only to models that are trained with them.",
            why="Hosted services refuse them for other models; the local service reads text alone.",
            bad="an example with an image for tiny-1",
            good="the same example for gpt-4o-2024-08-06",
        ),
        image_for_nobody,
        when=is_rich,
    ),
)

IMAGE_DATASET_RULES = (
    DatasetRule(
        rules=(
            Rule(
                code="FT119",
                name="too-many-image-examples",
                level="error",
                is_enforced=True,
                problem="found {found} training examples with images, expected at most {limit}.",
                advice="Leave some out with `where`.",
                description="A training file has at most as many examples with images as the host takes.",
                why="The job would fail after the upload.",
                bad="a training file of 50,001 examples with images",
                good="a training file of 50,000 examples with images",
            ),
        ),
        start=_ImageExamples,
    ),
)
