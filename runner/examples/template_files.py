"""Find and read the files that templates name: relative to the recipe, inside the project, text."""

from pathlib import Path

from runner.display import one_line, shown
from runner.examples.metering import SandboxError
from runner.project import Project, real_path

MAX_TEMPLATE_BYTES = 1 << 18


def locate(name: str, folder: Path, project: Project) -> Path:
    """The file of that name, links resolved. Raises SandboxError with a sentence."""
    if name.startswith(("/", "~")) or "\\" in name or "\0" in name:
        raise SandboxError(f"found the path {shown(name)}, expected one relative to the recipe. Change it.")
    path = real_path(folder / name)
    if not project.contains(path):
        raise SandboxError(
            f"found {shown(name)} outside the project, expected a file inside it. Move the file there."
        )
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no file"
        raise SandboxError(
            f"found {found} at {shown(name)}, expected a template. Correct the path from the recipe."
        )
    return path


def read_template(name: str, folder: Path, project: Project) -> str:
    """The text of a template file. Raises SandboxError with a sentence."""
    path = locate(name, folder, project)
    try:
        if path.stat().st_size > MAX_TEMPLATE_BYTES:
            raise SandboxError(
                f"found more than {MAX_TEMPLATE_BYTES} bytes in {shown(name)}, expected less. Shorten it."
            )
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SandboxError(
            f"found bytes in {shown(name)} that are not UTF-8 (byte {error.start}), expected text. "
            "Save it as UTF-8."
        ) from None
    except OSError as error:
        reason = one_line(error.strerror or "unknown")
        raise SandboxError(f"found {shown(name)} unreadable ({reason}), expected a template.") from error
