"""A corpus on the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tdmm.corpus.card import CARD
from tdmm.corpus.figures import FIGURES
from tdmm.corpus.manifest import FEATURES_FILE, MANIFEST, PLAN
from tdmm.corpus.shards import verify
from tdmm.errors import FileProblem, InvalidInput, TdmmError


class Hub(Protocol):
    """What is needed of `huggingface_hub.HfApi` here."""

    def create_repo(self, repo_id: str, *, repo_type: str, private: bool, exist_ok: bool) -> Any:
        """Make a repository, if it is not there."""
        ...

    def upload_folder(
        self,
        *,
        repo_id: str,
        repo_type: str,
        folder_path: Path,
        allow_patterns: Sequence[str],
        delete_patterns: Sequence[str],
        commit_message: str,
    ) -> Any:
        """Put files of a folder into a repository and take others away, in one commit."""
        ...


@dataclass(frozen=True)
class Sent:
    """A file that goes to the hub: its path within the corpus, and its size."""

    name: str
    bytes: int


def files_of(folder: Path) -> list[Sent]:
    """What a push would send: card, manifest, description, figures and shards, every byte of them checked.

    Caches and whatever else lies in the folder stay here.

    Raises:
        FileProblem: the corpus is unfinished or damaged, or has no card.
    """
    manifest = verify(folder)
    if not (folder / CARD).is_file():
        raise FileProblem(f"{folder}: has no card yet. Write it: tdmm corpus card {folder} --licence cc-by-4.0")
    names = [CARD, MANIFEST, *(name for name in (FEATURES_FILE, PLAN) if (folder / name).is_file())]
    names += sorted(str(path.relative_to(folder)) for path in (folder / FIGURES).glob("*.png"))
    names += [shard.name for shard in manifest.shards]
    return [Sent(name, (folder / name).stat().st_size) for name in names]


def push(
    folder: Path, repository: str, *, private: bool = True, connect: Callable[[], Hub] | None = None
) -> list[Sent]:
    """Make the dataset `repository` hold this corpus, in one commit: nobody ever sees half of it.

    Shards and figures of an older version that are no longer part of it are taken away by the same commit. Parts that
    are there already are not sent again, so after a failure the same call goes on.

    Args:
        folder: of a finished corpus with its card.
        repository: OWNER/NAME; made if it is missing.
        private: whether to make it private, where it is made.
        connect: opens the hub; None is the real one, with the token of `hf auth login` or HF_TOKEN.

    Raises:
        InvalidInput: the name is not OWNER/NAME, or there is no token.
        FileProblem: as in `files_of`.
        TdmmError: the hub refuses, or cannot be reached.
    """
    owner, slash, name = repository.partition("/")
    if not (owner and slash and name) or "/" in name:
        raise InvalidInput(f"'{repository}' names no dataset of the hub. Write OWNER/NAME, for example me/faces.")
    sent = files_of(folder)
    hub = (connect or _connect)()
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError

    try:
        hub.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
        hub.upload_folder(
            repo_id=repository,
            repo_type="dataset",
            folder_path=folder,
            allow_patterns=[each.name for each in sent],
            delete_patterns=["*.parquet", f"{FIGURES}/*.png"],
            commit_message="Corpus of facial motion",
        )
    except HFValidationError as error:
        raise InvalidInput(f"'{repository}': {error}") from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        if status in (401, 403):
            raise TdmmError(
                f"The hub does not let you write to {repository}. Log in with a token that may write: hf auth login"
            ) from error
        raise TdmmError(
            f"The hub did not take {repository} ({_first_line(error)}). Run the same command again."
        ) from error
    except (HTTPError, OSError) as error:  # no network, among others
        raise TdmmError(
            f"{repository}: the hub cannot be reached ({_first_line(error)}). Run the same command again; what is "
            "there is not sent twice."
        ) from error
    return sent


def _connect() -> Hub:
    from huggingface_hub import HfApi, get_token

    token = get_token()
    if token is None:
        raise InvalidInput(
            "There is no Hugging Face token. Log in once: hf auth login   (or set HF_TOKEN to one that may write)"
        )
    api: Hub = HfApi(token=token)
    return api


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
