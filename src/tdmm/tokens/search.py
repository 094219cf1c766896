"""Which codes stand for a latent: those whose sum shows nearly the same face.

The nearest code level by level is neither the nearest sum of codes, nor is the nearest sum the one that looks most
alike: most numbers of a latent hardly show, and a head that is turned by little shows at once. So several
beginnings are kept from level to level (beam search), and distances count what moves the rebuilt face. Then the
codes are decoded, and what the rebuilt face still lacks is asked for in addition (analysis by synthesis): this mends
what encoder and decoder get wrong between them, and lets a frame make up for its neighbours.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tdmm.tokens.autoencoder import GeometryAutoencoder

BEGINNINGS = 16
"""Sums of codes that are kept from level to level."""

ROUNDS = 4
"""Times that the codes are decoded and searched for again with what they lacked."""

_SHARE_ASKED = 0.6
"""Of what a rebuilt frame lacks, what the next round asks for in addition; 1 overshoots, since codes come in steps."""

_RIDGE = 0.05
"""Of the mean square that a number of a latent shows: keeps those that hardly show from being asked for without end."""

_AT_ONCE = 256
"""Latents that are compared at once; the distances of more do not stay in the cache of a processor."""


class CodeSearch:
    """Searches the codebooks of an autoencoder, as they are now.

    Args:
        model: of the codebooks and of the decoder that shows them.
        beginnings: sums kept from level to level; 1 takes the nearest code of each.
    """

    def __init__(self, model: GeometryAutoencoder, beginnings: int = BEGINNINGS) -> None:
        self._model = model
        shown = model.shown()
        metric = shown @ shown.T
        ridge = _RIDGE * metric.diagonal().mean() * torch.eye(len(metric), device=metric.device)
        self._lacking = torch.linalg.solve(metric + ridge, shown).T
        # Half of what counts is what the linear path of the decoder shows, half is the latent itself: the rest of
        # the decoder, and the models that read the codes, see all of it.
        metric = metric / metric.diagonal().mean() + torch.eye(len(metric), device=metric.device)
        self._turn = torch.linalg.cholesky(metric)
        self._books = model.quantizer.books().float() @ self._turn
        self._beginnings = beginnings

    @torch.no_grad()
    def codes_of(self, features: Tensor, rounds: int = ROUNDS) -> Tensor:
        """(B, T, 58) features to (B, T, L) codes; of each frame the best that any round found.

        Args:
            features: on the device of the model.
            rounds: times that the codes are decoded and searched for again; 0 takes those of the latents.
        """
        wanted = self._model.geometry(features)
        asked = self._model.encode(features)
        best = self.codes(asked)
        if not rounds:
            return best
        least = torch.full(features.shape[:-1], torch.inf, device=features.device)
        codes = best
        for left in range(rounds, -1, -1):
            rebuilt = self._model.decode(self._model.quantizer.latents(codes))[0]
            lacking = wanted - self._model.geometry(rebuilt)
            error = lacking.norm(dim=-1)
            best = torch.where((error < least)[..., None], codes, best)
            least = torch.minimum(error, least)
            if left:
                asked = asked + _SHARE_ASKED * lacking @ self._lacking
                codes = self.codes(asked)
        return best

    def codes(self, latents: Tensor) -> Tensor:
        """(..., D) latents to (..., L) codes; each depends on its own latent alone."""
        turned = (latents.float() @ self._turn).flatten(0, -2)
        found = torch.cat([self._found(part) for part in turned.split(_AT_ONCE)])
        return found.view(*latents.shape[:-1], len(self._books))

    def _found(self, turned: Tensor) -> Tensor:
        left = turned[:, None]  # (N, beginnings, D) what they lack
        codes = turned.new_empty((len(turned), 1, 0), dtype=torch.long)
        for book in self._books:
            # One product and one sum in place: temporaries of this size take longer than the product.
            distances = torch.addmm(book.square().sum(-1), left.flatten(0, 1), book.T, alpha=-2)
            distances = distances.view(*left.shape[:2], -1).add_(left.square().sum(-1, keepdim=True))
            count = min(self._beginnings, distances.shape[1] * len(book))
            nearest = distances.flatten(1).topk(count, largest=False).indices
            before, code = nearest // len(book), nearest % len(book)
            rows = torch.arange(len(turned), device=turned.device)[:, None]
            codes = torch.cat([codes[rows, before], code[..., None]], -1)
            left = left[rows, before] - book[code]
        return codes[:, 0]
