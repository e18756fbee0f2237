"""Puts an exported model on the Hugging Face hub."""

from pathlib import Path

from runner.display import one_line
from runner.errors import MissingExtraError, ProviderError


def push(folder: Path, name: str, message: str, *, is_public: bool) -> str:
    """Upload a folder as a repository's next commit, made private where it is new; the commit's address.

    The same files again make no commit. Nothing there is deleted. The endpoint and the token are those of
    Hugging Face's own variables and login. Raises MissingExtraError, ProviderError.
    """
    try:
        import httpx2
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError as error:
        raise MissingExtraError(
            f"the hub needs the extra `huggingface` ({error.name} is missing): "
            "pip install 'finetune-runner[huggingface]'"
        ) from error
    hub = HfApi(library_name="finetune-runner")
    try:
        hub.create_repo(name, private=not is_public, exist_ok=True)
        commit = hub.upload_folder(folder_path=folder, repo_id=name, commit_message=message)
    except (HfHubHTTPError, HFValidationError, httpx2.HTTPError, OSError) as error:
        raise ProviderError(f"the Hugging Face hub says: {one_line(str(error), limit=300)}") from error
    return str(commit.commit_url)
