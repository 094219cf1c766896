"""`Tokenizer`: motion to tokens and back, at once or frame by frame."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationError
from torch import Tensor

from tdmm import artifact, weights
from tdmm.errors import ArtifactProblem, InvalidMotion, TokenizerMismatch
from tdmm.files import require_readable, written_aside
from tdmm.motion.clip import FPS, FaceMotion
from tdmm.motion.features import FEATURES, from_features, to_features
from tdmm.motion.timeline import resample
from tdmm.tokens.autoencoder import AutoencoderConfig, DecoderState, GeometryAutoencoder
from tdmm.tokens.search import CodeSearch

KIND = "tokenizer"
_BROKEN = (
    OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, RuntimeError, MemoryError,
    BadZipFile, zlib.error, struct.error,
)  # fmt: skip
"""What numpy and zipfile raise for archives that are not whole."""


@dataclass(frozen=True)
class MotionTokens:
    """A motion as codes.

    Attributes:
        codes: (T, L) int64, T frames at 25 fps, L levels; read-only.
        fingerprint: of the tokenizer that made them; no other can read them.

    Raises:
        InvalidMotion: not a table of whole numbers of 0 or more, or no rows.
    """

    codes: npt.NDArray[np.int64]
    fingerprint: str

    def __post_init__(self) -> None:
        codes = np.asarray(self.codes)
        if codes.ndim != 2 or 0 in codes.shape or not np.issubdtype(codes.dtype, np.integer) or codes.min() < 0:
            raise InvalidMotion(
                "Codes must be a table (T, L) of whole numbers of 0 or more; "
                f"these are {codes.dtype} of shape {codes.shape}."
            )
        codes = codes.astype(np.int64)
        codes.flags.writeable = False
        object.__setattr__(self, "codes", codes)

    @property
    def frames(self) -> int:
        """T."""
        return int(self.codes.shape[0])


class Tokenizer:
    """A trained geometry autoencoder, ready for use.

    Args:
        model: put into evaluation mode; its parameters are frozen.
        fingerprint: of its codes: SHA-256 of the weights file of the tokenizer that first made them, or any text for a
            tokenizer that was never saved.
    """

    frame_rate = FPS

    def __init__(self, model: GeometryAutoencoder, fingerprint: str) -> None:
        self.model = model.eval().requires_grad_(False)
        self.fingerprint = fingerprint
        self.levels = model.config.levels
        self.codebook_size = model.config.codebook_size
        self.dim = model.config.dim
        self._search = CodeSearch(self.model)

    @classmethod
    def load(cls, folder: Path | None = None, device: str = "cpu") -> Tokenizer:
        """Load a tokenizer; None is the bundled one.

        Raises:
            ArtifactProblem: the folder is incomplete, altered, or not a tokenizer of this version.
        """
        folder = folder or weights.folder("tokenizer")
        stored = artifact.load(folder, kind=KIND)
        if tuple(stored.config.get("features", ())) != FEATURES or stored.config.get("fps") != FPS:
            raise ArtifactProblem(
                f"{folder}: reads other features than the {len(FEATURES)} of this version. Train it again."
            )
        try:
            config = AutoencoderConfig.model_validate(stored.config["autoencoder"])
            model = GeometryAutoencoder(config, stored.tensors["basis"])
            model.load_state_dict({name: value.float() if value.is_floating_point() else value
                                   for name, value in stored.tensors.items()})  # fmt: skip
        except (KeyError, ValidationError, RuntimeError) as error:
            raise ArtifactProblem(f"{folder}: its weights do not fit its configuration ({error}).") from error
        return cls(model.to(device), stored.config.get("codes_of", stored.fingerprint))

    def save(self, folder: Path, provenance: Mapping[str, Any], codes_of: str | None = None) -> Tokenizer:
        """Write the tokenizer and return it as read back: weights are rounded to 16 bits, codes may move.

        Args:
            folder: made new, or replaced whole.
            provenance: how it came to be.
            codes_of: fingerprint of an older tokenizer with the same codes, which this one keeps.

        Raises:
            FileProblem: the folder cannot be written.
        """
        trained = {name for name, _ in self.model.named_parameters()}
        tensors = {
            name: value.half() if name in trained or name.endswith("codebook") else value
            for name, value in self.model.state_dict().items()
        }
        config = {"features": FEATURES, "fps": FPS, "autoencoder": self.model.config.model_dump()}
        if codes_of is not None:
            config["codes_of"] = codes_of
        artifact.save(folder, kind=KIND, config=config, tensors=tensors, provenance=provenance)
        return Tokenizer.load(folder)

    def encode(self, motion: FaceMotion) -> MotionTokens:
        """Motion to tokens, at 25 fps whatever the motion's rate.

        Raises:
            InvalidMotion: another rig than `arkit`, or a missing channel.
        """
        features = torch.from_numpy(to_features(resample(motion, FPS)).copy())
        return MotionTokens(self.encode_features(features[None])[0].cpu().numpy(), self.fingerprint)

    def decode(self, tokens: MotionTokens, text: str = "") -> FaceMotion:
        """Tokens to a motion at 25 fps on the average head.

        Raises:
            TokenizerMismatch: the tokens are another tokenizer's.
            InvalidMotion: a code is outside the codebook.
        """
        self.require(tokens.fingerprint)
        features = self.decode_codes(torch.from_numpy(tokens.codes.copy())[None])[0]
        return from_features(features.cpu().numpy(), text=text, provenance={"tokenizer": self.fingerprint})

    def require(self, fingerprint: str) -> None:
        """Refuse what was made with another tokenizer.

        Raises:
            TokenizerMismatch: the fingerprints differ.
        """
        if fingerprint != self.fingerprint:
            raise TokenizerMismatch(
                f"Made with the tokenizer {fingerprint[:12]}, but the one loaded is {self.fingerprint[:12]}. "
                "Load the tokenizer it was made with, or encode or train again with this one."
            )

    @torch.no_grad()
    def encode_features(self, features: Tensor) -> Tensor:
        """(B, T, 58) features to (B, T, L) codes."""
        return self._search.codes_of(features.to(self._device()))

    @torch.no_grad()
    def encode_latents(self, features: Tensor) -> Tensor:
        """(B, T, 58) features to (B, T, D) latents, not yet quantized."""
        return self.model.encode(features.to(self._device()))

    @torch.no_grad()
    def decode_codes(self, codes: Tensor) -> Tensor:
        """(B, T, n) codes of the first n levels, 1 <= n <= L, to (B, T, 58) features."""
        return self.model.decode(self.latents(codes))[0]

    @torch.no_grad()
    def latents(self, codes: Tensor) -> Tensor:
        """(B, T, n) codes of the first n levels to (B, T, D): the sums of their codebook vectors.

        Raises:
            InvalidMotion: a code is outside the codebook, or there are more levels than the tokenizer's.
        """
        codes = codes.to(self._device())
        if codes.shape[-1] > self.levels or (codes.numel() and int(codes.max()) >= self.codebook_size):
            raise InvalidMotion(
                f"Codes of shape {tuple(codes.shape)} up to {int(codes.max())}: this tokenizer has "
                f"{self.levels} level(s) of {self.codebook_size} codes."
            )
        return self.model.quantizer.latents(codes)

    def stream(self) -> DecoderStream:
        """A decoder that takes one frame at a time."""
        return DecoderStream(self)

    def _device(self) -> torch.device:
        return self.model.basis.device


class DecoderStream:
    """Decodes frame by frame; the frames equal those of decoding all at once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._state: DecoderState | None = None

    @torch.no_grad()
    def push(self, codes: Tensor) -> Tensor:
        """(B, n) codes of the next frame to its (B, 58) features; B stays the same from the first on."""
        latents = self._tokenizer.latents(codes[:, None])
        features, self._state = self._tokenizer.model.decode(latents, self._state)
        return features[:, 0]


def write_tokens(tokens: MotionTokens, path: Path) -> None:
    """Write tokens as `.npz` with the arrays `codes` and `fingerprint`.

    Raises:
        FileProblem: the folder is missing or read-only, or the disk is full.
    """
    with written_aside(path) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(handle, codes=tokens.codes.astype(np.int32), fingerprint=np.array(tokens.fingerprint))


def read_tokens(path: Path) -> MotionTokens:
    """Read what `write_tokens` wrote; nothing is unpickled.

    Raises:
        FileProblem: the file is missing or cannot be read.
        InvalidMotion: it does not hold tokens.
    """
    require_readable(path)
    try:
        # Opened here, because numpy leaves a file open when it is not an archive.
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as archive:
            codes, fingerprint = archive["codes"], str(archive["fingerprint"].item())
    except _BROKEN as error:
        raise InvalidMotion(
            f"{path}: holds no tokens ({error}). Make some: tdmm tokens encode FILE -o {path.name}"
        ) from error
    return MotionTokens(codes, fingerprint)
