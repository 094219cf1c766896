"""One folder holds one trained thing: `config.json`, `weights.safetensors`, `provenance.json`.

Weights that would make a file of more than 15 MiB are cut into several (`weights-2.safetensors` ...), so that each
travels through any repository. Nothing is pickled.
`provenance.json` carries the SHA-256 of the other files, so a flipped byte is found before it becomes a wrong
face. Extra files (a text tokenizer, say) are covered the same way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tdmm.errors import ArtifactProblem
from tdmm.files import folder_written_aside

if TYPE_CHECKING:
    import torch

CONFIG, WEIGHTS, PROVENANCE = "config.json", "weights.safetensors", "provenance.json"
FORMAT_VERSION = 1
_LARGEST_FILE = 15 * 2**20


@dataclass(frozen=True)
class Artifact:
    """What a folder held: its kind, configuration, tensors, extra files and where it came from."""

    kind: str
    config: dict[str, Any]
    tensors: dict[str, torch.Tensor]
    provenance: dict[str, Any]
    extra: dict[str, bytes]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the weights: two artifacts with the same one behave the same."""
        return _fingerprint(self.provenance["files"])


def save(
    folder: Path,
    *,
    kind: str,
    config: Mapping[str, Any],
    tensors: Mapping[str, torch.Tensor],
    provenance: Mapping[str, Any] | None = None,
    extra: Mapping[str, bytes] | None = None,
) -> str:
    """Write an artifact, replacing an older one whole, and return its fingerprint.

    Args:
        folder: made new; an existing artifact there is replaced only once the new one is complete.
        kind: what it is (`tokenizer`, `language2motion` ...), checked again on load.
        config: JSON-serialisable.
        tensors: any dtype; moved to the CPU and made contiguous.
        provenance: how it came to be: recipe, data, seed, steps, figures reached.
        extra: further files by name.

    Raises:
        FileProblem: the parent folder is missing, read-only, or the disk is full.
    """
    from safetensors.torch import save_file

    with folder_written_aside(folder) as temporary:
        (temporary / CONFIG).write_text(
            json.dumps({"kind": kind, "format": FORMAT_VERSION, **config}, indent=1, sort_keys=True) + "\n"
        )
        for number, part in enumerate(_parts(tensors), start=1):
            save_file(part, temporary / _weights_file(number))
        for name, content in (extra or {}).items():
            (temporary / name).write_bytes(content)
        files = {path.name: _sha256(path) for path in sorted(temporary.iterdir())}
        (temporary / PROVENANCE).write_text(
            json.dumps({**(provenance or {}), "files": files}, indent=1, sort_keys=True) + "\n"
        )
    return _fingerprint(files)


def load(folder: Path, *, kind: str) -> Artifact:
    """Read an artifact and check every byte of it.

    Raises:
        ArtifactProblem: a file is missing, altered, or of another kind or format version.
    """
    from safetensors.torch import load_file

    if not folder.is_dir():
        raise ArtifactProblem(f"{folder}: no such weights folder. Train one, or leave out the option to use ours.")
    for name in (CONFIG, WEIGHTS, PROVENANCE):
        if not (folder / name).is_file():
            raise ArtifactProblem(f"{folder}: {name} is missing; the folder is incomplete. Copy it again whole.")
    config, provenance = _read_json(folder / CONFIG), _read_json(folder / PROVENANCE)
    if config.get("kind") != kind:
        raise ArtifactProblem(f"{folder}: holds a '{config.get('kind')}', a '{kind}' is needed here.")
    if config.get("format") != FORMAT_VERSION:
        raise ArtifactProblem(
            f"{folder}: format {config.get('format')}, this version of tdmm reads {FORMAT_VERSION}. "
            "Install the version that wrote it, or train again."
        )
    files = provenance.get("files")
    if not isinstance(files, dict) or WEIGHTS not in files or CONFIG not in files:
        raise ArtifactProblem(f"{folder / PROVENANCE}: lists no checksums. Copy the folder again whole.")
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise ArtifactProblem(f"{folder}: {name} is missing. Copy the folder again whole.")
        if _sha256(path) != expected:
            raise ArtifactProblem(f"{path}: its checksum is wrong, the file was altered. Copy the folder again.")
    content = {key: value for key, value in config.items() if key not in {"kind", "format"}}
    own = _weights_files(files)
    extra = {name: (folder / name).read_bytes() for name in files if name not in {CONFIG, *own}}
    tensors = {name: tensor for file in own for name, tensor in load_file(folder / file).items()}
    return Artifact(kind, content, tensors, provenance, extra)


def _weights_file(number: int) -> str:
    return WEIGHTS if number == 1 else WEIGHTS.replace(".", f"-{number}.")


def _weights_files(files: Mapping[str, str]) -> list[str]:
    """Names of the weights files among `files`, in order."""
    numbered = (_weights_file(number) for number in range(1, len(files) + 1))
    return [name for name in numbered if name in files]


def _fingerprint(files: Mapping[str, str]) -> str:
    digests = [files[name] for name in _weights_files(files)]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _parts(tensors: Mapping[str, torch.Tensor]) -> list[dict[str, torch.Tensor]]:
    """Tensors on the CPU, in groups that each fit a file; one larger than that stands alone."""
    parts: list[dict[str, torch.Tensor]] = [{}]
    size = 0
    for name, tensor in sorted(tensors.items()):
        size += tensor.numel() * tensor.element_size()
        if size > _LARGEST_FILE and parts[-1]:
            parts.append({})
            size = tensor.numel() * tensor.element_size()
        parts[-1][name] = tensor.detach().cpu().contiguous()
    return parts


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (ValueError, UnicodeDecodeError) as error:
        raise ArtifactProblem(f"{path}: is not JSON ({error}). Copy the folder again whole.") from error
    if not isinstance(content, dict):
        raise ArtifactProblem(f"{path}: must hold a JSON object.")
    return content


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
