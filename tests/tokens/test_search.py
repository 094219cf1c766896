from __future__ import annotations

from itertools import product

import torch

from tdmm.tokens.data import Mixture, MixtureConfig
from tdmm.tokens.search import CodeSearch
from tdmm.tokens.tokenizer import Tokenizer


def shown(tokenizer: Tokenizer, latents: torch.Tensor) -> torch.Tensor:
    """(...) squared length of what latents show, and of themselves, as the search weighs the two."""
    moved = tokenizer.model.shown()
    usual = (moved @ moved.T).diagonal().mean()
    return (latents @ moved).square().sum(-1) / usual + latents.square().sum(-1)


def test_all_sums_tried_is_the_oracle(tokenizer: Tokenizer) -> None:
    torch.manual_seed(1)
    latents = torch.randn(5, tokenizer.dim)
    codes = CodeSearch(tokenizer.model, beginnings=64**2).codes(latents)
    books = tokenizer.model.quantizer.books()
    # Of 64 ** 3 sums, those with the found last code, and those that begin as was found, hold none that is nearer.
    for latent, found in zip(latents, codes, strict=True):
        best = shown(tokenizer, latent - tokenizer.latents(found[None])[0])
        pairs = torch.tensor(list(product(range(64), repeat=2)))
        same_end = books[0][pairs[:, 0]] + books[1][pairs[:, 1]] + books[2][found[2]]
        same_start = books[0][found[0]] + books[1][pairs[:, 0]] + books[2][pairs[:, 1]]
        for sums in (same_end, same_start):
            assert best <= shown(tokenizer, latent - sums).min() * (1 + 1e-4)


def test_more_beginnings_come_nearer(tokenizer: Tokenizer) -> None:
    torch.manual_seed(2)
    latents = torch.randn(300, tokenizer.dim)

    def lacking(beginnings: int) -> float:
        codes = CodeSearch(tokenizer.model, beginnings).codes(latents)
        return float(shown(tokenizer, latents - tokenizer.latents(codes)).mean())

    assert lacking(16) < lacking(4) < lacking(1)


def test_a_latent_is_coded_by_itself(tokenizer: Tokenizer) -> None:
    torch.manual_seed(3)
    latents = torch.randn(2, 700, tokenizer.dim)
    search = CodeSearch(tokenizer.model)
    together = search.codes(latents)
    assert together.shape == (2, 700, 3)
    assert torch.equal(together[1, 600:610], search.codes(latents[1, 600:610]))


def test_sums_of_codes_are_found_again(tokenizer: Tokenizer) -> None:
    codes = torch.randint(64, (40, 3))
    latents = tokenizer.latents(codes)
    torch.testing.assert_close(tokenizer.latents(CodeSearch(tokenizer.model, 4096).codes(latents)), latents)


def test_every_round_comes_nearer(tokenizer: Tokenizer) -> None:
    features = torch.from_numpy(Mixture([], MixtureConfig(random_share=1, frames=50), seed=9).batch(0, 16))
    search, geometry = CodeSearch(tokenizer.model), tokenizer.model.geometry

    def lacking(rounds: int) -> float:
        rebuilt = tokenizer.decode_codes(search.codes_of(features, rounds))
        return float((geometry(features) - geometry(rebuilt)).norm(dim=-1).mean())

    assert lacking(4) < lacking(1) < lacking(0)


def test_a_clip_is_coded_the_same_in_any_company(tokenizer: Tokenizer) -> None:
    features = torch.from_numpy(Mixture([], MixtureConfig(random_share=1, frames=50), seed=9).batch(0, 4))
    search = CodeSearch(tokenizer.model)
    assert torch.equal(search.codes_of(features)[1], search.codes_of(features[1:2])[0])
