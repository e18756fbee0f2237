"""Looks over a job's base model, where it is a folder, before anything is loaded."""

from pathlib import Path

from runner.local.training.job import TrainingError
from runner.model_folder import ModelFolderError, check_model_folder


def check_base_model(folder: Path, name: str) -> None:
    """See that a folder has what a chat model needs. Raises TrainingError, which names the model."""
    try:
        check_model_folder(folder)
    except ModelFolderError as error:
        message = f"The model '{name}' cannot be loaded: {error}"
        # Without its cause, for which the job's message would send the reader to a log.
        raise TrainingError("model_not_available", message, "model") from None
