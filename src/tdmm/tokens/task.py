"""The autoencoder as something `tdmm.training.loop.fit` can train."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from tdmm.tokens.autoencoder import GeometryAutoencoder, LossWeights, losses
from tdmm.tokens.data import Mixture
from tdmm.tokens.quantizers import CodeUsage, Quantized
from tdmm.tokens.search import CodeSearch

_STATISTICS_BATCHES = 8


class TokenizerTask:
    """Losses on mixed batches, quick figures on held-out clips.

    Args:
        model: fresh, or about to be restored from a checkpoint.
        mixture: where batches come from.
        weights: of the losses.
        batch_size: windows a batch.
        held_out: clips for evaluation; none leaves it at random combinations.
        device: where batches go.
        search: finds the codes where they are settled and the decoder alone learns (`learn_to_show`); None lets
            all of the model learn.
    """

    def __init__(
        self,
        model: GeometryAutoencoder,
        mixture: Mixture,
        weights: LossWeights,
        batch_size: int,
        held_out: list[np.ndarray[tuple[int, int], np.dtype[np.float32]]],
        device: torch.device,
        search: CodeSearch | None = None,
    ) -> None:
        self._search = search
        self.model, self.mixture, self.weights = model, mixture, weights
        self.batch_size, self.held_out, self.device = batch_size, held_out, device
        self.teaching, self.counting = (torch.from_numpy(each).to(device) for each in mixture.weights(batch_size))
        if search is None:
            # From steps that training never reaches.
            first = [mixture.batch(10**9 + i, batch_size) for i in range(_STATISTICS_BATCHES)]
            model.begin(torch.from_numpy(np.concatenate(first)).flatten(0, 1).to(model.basis.device))

    def loss(self, step: int) -> dict[str, Tensor]:
        """Losses of the batch of that step."""
        features = torch.from_numpy(self.mixture.batch(step, self.batch_size)).to(self.device)
        rebuilt, quantized = self._rebuilt(features, self.teaching)
        return losses(self.model, features, rebuilt, quantized, self.weights, self.counting)

    def _rebuilt(self, features: Tensor, teaching: Tensor | None = None) -> tuple[Tensor, Quantized]:
        if self._search is None:
            rebuilt, quantized = self.model(features, teaching)
            return rebuilt, quantized
        with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
            codes = self._search.codes(self.model.encode(features))
            latents = self.model.quantizer.latents(codes)
        return self.model.decode(latents)[0], Quantized(latents, codes, latents.new_zeros(()))

    def evaluate(self) -> dict[str, float]:
        """Errors in the geometry of the loss, and use of the codes; `fidelity` has the errors to report."""
        usage = CodeUsage(self.model.config.levels, self.model.config.codebook_size)
        face, head, frames = 0.0, 0.0, 0
        for clip in self.held_out or list(self.mixture.batch(2 * 10**9, 4 * self.batch_size)):
            features = torch.tensor(clip, device=self.device)[None]
            rebuilt, quantized = self._rebuilt(features)
            wrong = self.model.geometry(rebuilt - features)[0]
            usage.add(quantized.codes)
            face += float(wrong[:, :-6].norm(dim=1).sum())
            head += float(wrong[:, -6:-3].norm(dim=1).sum())
            frames += len(wrong)
        return {
            "face_mm": face / frames,
            "head_deg": math.degrees(head / frames / self.model.config.head_mm),
            "least_used": min(usage.used()),
            "least_perplexity": min(usage.perplexity()),
        }
