"""A progress bar with the curve of a job's loss below it."""

from collections.abc import Iterable, Sequence

from rich.console import RenderableType
from rich.progress import Progress
from rich.text import Text

from runner.report.curve_text import curve_lines

HEIGHT = 7
# The bar, a line for the name and what was on the screen before keep their place.
MIN_TERMINAL_HEIGHT = 16
MAX_WIDTH = 100


class CurvedProgress(Progress):
    """Redrawn as one picture, so that nothing flickers; without room there is the bar alone."""

    losses: Sequence[float] = ()

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar, then the curve so far."""
        yield from super().get_renderables()
        losses = self.losses
        if len(losses) < 2 or self.console.height < MIN_TERMINAL_HEIGHT:
            return
        plain = not self.console.encoding.lower().startswith("utf")
        width = min(MAX_WIDTH, self.console.width)
        lines = curve_lines(losses, width, HEIGHT, plain=plain)
        if lines:
            last = f"training loss over {len(losses):,} steps, now {losses[-1]:.4g}"
            yield Text("\n".join([last, *lines]), no_wrap=True, overflow="crop")
