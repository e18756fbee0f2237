"""Sets the process environment that torch and the Hugging Face libraries read when they load."""

import os
import sys

TINY_1_THREADS = 1


def prepare_environment(*, allow_network: bool, threads: int | None) -> None:
    """Fix threads, network access and telemetry for this process; call it before torch is imported.

    `threads` is the number of torch threads, None for the machine's own choice. Raises AssertionError when
    torch is already loaded, because it would then ignore part of this.
    """
    if "torch" in sys.modules:
        raise AssertionError("BUG: prepare_environment must run before torch is imported")
    os.environ.update(_settings(allow_network=allow_network))
    if threads is not None:
        os.environ.update(OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))


def _settings(*, allow_network: bool) -> dict[str, str]:
    offline = "0" if allow_network else "1"
    return {
        # Without this, two OpenMP threads on shared cores are 8-10 times slower than one: idle ones spin.
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": offline,
        "TRANSFORMERS_OFFLINE": offline,
        "HF_DATASETS_OFFLINE": offline,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
        # cuBLAS is deterministic only with a fixed workspace:
        # https://docs.nvidia.com/cuda/cublas/index.html#results-reproducibility
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
