"""What the language models learn from: the clips of a corpus as codes and plans, and word states of their texts.

Both are computed once, kept in a cache folder under a key of everything they depend on, and mapped into
memory from there. A batch depends on (seed, step) alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor

from tdmm.corpus import manifest, shards
from tdmm.corpus.mixing import Blend, Share
from tdmm.corpus.rows import Clip, Text
from tdmm.errors import FileProblem, InvalidInput
from tdmm.files import written_aside
from tdmm.language import plan_codes
from tdmm.language.joined import Joined, Laid
from tdmm.language.text_encoder import TextEncoder, TextStates

Codes = npt.NDArray[np.uint16]
Ints = npt.NDArray[np.int64]
Found = TypeVar("Found")

_BUCKET = 16  # batches that are sorted by length together
_ENCODED_AT_ONCE = 64  # texts


class FrameTokenizer(Protocol):
    """What is needed of `tdmm.tokens.tokenizer.Tokenizer` here."""

    fingerprint: str
    levels: int
    codebook_size: int

    def encode_features(self, features: Tensor) -> Tensor:
        """(B, T, 58) features to (B, T, L) codes."""
        ...

    def encode_latents(self, features: Tensor) -> Tensor:
        """(B, T, 58) features to (B, T, D) latents, not yet quantized."""
        ...

    def latents(self, codes: Tensor) -> Tensor:
        """(B, T, n) codes of the first n levels to the (B, T, D) sums of their vectors."""
        ...


@dataclass(frozen=True)
class ClipTokens:
    """Clips laid end to end.

    Attributes:
        codes: (F, L) uint16; L is 0 where only the plans are wanted.
        offsets: (N + 1,) int64; clip i is `codes[offsets[i]:offsets[i + 1]]`.
    """

    codes: Laid
    offsets: Ints

    def __len__(self) -> int:
        return len(self.offsets) - 1


@dataclass(frozen=True)
class Plans:
    """Plans of clips laid end to end.

    Attributes:
        codes: (P, fields) int64, see `tdmm.language.plan_codes`.
        offsets: (N + 1,) int64; the plan of clip i is `codes[offsets[i]:offsets[i + 1]]`.
    """

    codes: Laid
    offsets: Ints


@dataclass(frozen=True)
class TextBank:
    """Word states of texts laid end to end.

    Attributes:
        states: (P, width) float16.
        seconds: (P,) float16, see `TextStates`.
        starts, lengths: (U,) int64; text i is `states[starts[i]:starts[i] + lengths[i]]`.
    """

    states: Laid
    seconds: Laid
    starts: Ints
    lengths: Ints


@dataclass(frozen=True)
class Pairs:
    """Clips and the texts that say them.

    Attributes:
        clips: N of them.
        plans: of the same clips.
        texts: (N, n) int64, which texts of the bank belong to a clip.
        bank: states of all texts.
        encoder: name of what made them, see `load_text_encoder`.
        blend: of which corpora the clips are; None where they are all of one.
    """

    clips: ClipTokens
    plans: Plans
    texts: Ints
    bank: TextBank
    encoder: str
    blend: Blend | None = None

    def __len__(self) -> int:
        return len(self.clips)


@dataclass(frozen=True)
class Batch:
    """Clips of one step, padded with zeros.

    Attributes:
        codes: (B, T, L) int64.
        frames: (B,) int64, valid frames of each.
        text: B texts.
        plans: (B, 1 + E, fields) int64.
        events: (B,) int64, events of each plan.
    """

    codes: npt.NDArray[np.int64]
    frames: Ints
    text: TextStates
    plans: npt.NDArray[np.int64]
    events: Ints


def codebooks(tokenizer: FrameTokenizer) -> Tensor:
    """(L, K, D) vectors of a tokenizer, whose sums over the levels are its latents."""
    levels, size = tokenizer.levels, tokenizer.codebook_size
    tables, before = [], torch.zeros(1, 1)
    for level in range(levels):
        codes = torch.zeros(1, size, level + 1, dtype=torch.long)
        codes[0, :, level] = torch.arange(size)
        sums = tokenizer.latents(codes)[0].float().cpu()
        tables.append(sums - before)
        before = sums[:1]
    return torch.stack(tables)


@dataclass(frozen=True)
class Chosen:
    """Which clips of a split are used.

    Attributes:
        corpus: folder of shards.
        split: of it.
        places: their numbers in the split; None is every one.
        needs: what they were asked to have.
    """

    corpus: Path
    split: str
    places: tuple[int, ...] | None
    needs: tuple[str, ...]

    def of(self, clips: Iterable[Found]) -> Iterator[Found]:
        """Those of all clips of the split that are used."""
        if self.places is None:
            return iter(clips)
        used = set(self.places)
        return (clip for place, clip in enumerate(clips) if place in used)

    def key(self, *parts: str) -> str:
        """A name for what is computed from them and `parts`."""
        return _key(self.corpus, *parts, *(() if self.places is None else ("with", *self.needs)))


def choose(corpus: Path, split: str, *needs: str) -> Chosen:
    """Clips of a split that have something in every one of these columns; says how many have not.

    Raises:
        FileProblem: the corpus cannot be used.
        InvalidInput: no clip is left.
    """
    told = [all(map(clip.has, needs)) for clip in shards.read(corpus, split, columns=needs)]
    missing = len(told) - sum(told)
    if not told:
        raise InvalidInput(f"{corpus}: holds no {split} clips. A larger corpus would: tdmm corpus act --clips 20000")
    lacking = f"{missing} of {len(told)} {split} clips of {corpus} have no {' or no '.join(needs)}"
    if missing == len(told):
        raise InvalidInput(f"{lacking}, which this model learns from. Leave this corpus out, or name another.")
    if missing:
        Console(stderr=True).print(f"{lacking}: they are left out.", highlight=False)
    places = tuple(place for place, has in enumerate(told) if has)
    return Chosen(corpus, split, places if missing else None, needs)


def choose_all(corpora: Sequence[Share], split: str, *needs: str) -> list[tuple[Chosen, float]]:
    """Clips of a split of every corpus as `choose` finds them, with the corpus's weight.

    A corpus that is named must have some to train on. To validate with, it is enough that one of them has.

    Raises:
        FileProblem: a corpus cannot be used.
        InvalidInput: as said.
    """
    chosen, refused = list[tuple[Chosen, float]](), list[InvalidInput]()
    for share in corpora:
        try:
            chosen.append((choose(share.folder, split, *needs), share.weight))
        except InvalidInput as error:
            refused.append(error)
    if refused and (split == "train" or not chosen):
        raise refused[0]
    return chosen


def tokenise(chosen: Chosen, tokenizer: FrameTokenizer, cache: Path) -> ClipTokens:
    """Codes of clips, from the cache where they are there.

    Raises:
        FileProblem: the corpus or the cache folder cannot be used.
    """
    folder = cache / f"codes-{chosen.split}-{chosen.key(tokenizer.fingerprint)}"
    names = ("codes", "offsets")
    if not _complete(folder, names):
        features, offsets = featured(chosen)
        codes = np.empty((int(offsets[-1]), tokenizer.levels), np.uint16)
        for clip in _shown(range(len(offsets) - 1), f"Tokens of the {chosen.split} clips"):
            span = slice(offsets[clip], offsets[clip + 1])
            motion = np.array(features[span], np.float32)
            codes[span] = tokenizer.encode_features(torch.from_numpy(motion)[None])[0].cpu().numpy()
        _keep(folder, {"codes": codes, "offsets": offsets})
    return ClipTokens(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in names))


def featured(chosen: Chosen) -> tuple[Laid, Ints]:
    """Features (F, 58) of clips, end to end on disk, and offsets (N + 1,)."""
    packed = shards.pack(chosen.corpus, chosen.split)
    if chosen.places is None:
        return packed.features, np.asarray(packed.offsets, np.int64)
    clips = [packed.clip(place) for place in chosen.places]
    return Joined(clips), np.cumsum([0, *map(len, clips)])


def untokenised(chosen: Chosen) -> ClipTokens:
    """Clips without codes: their lengths alone.

    Raises:
        FileProblem: the corpus cannot be used.
    """
    frames = [clip.frames for clip in chosen.of(shards.read(chosen.corpus, chosen.split, columns=("frames",)))]
    return ClipTokens(np.empty((sum(frames), 0), np.uint16), np.concatenate([[0], np.cumsum(frames)]))


def planned(chosen: Chosen, cache: Path) -> Plans:
    """Plans of clips, from the cache where they are there. Without a script a plan has no expressions.

    Raises:
        FileProblem: the corpus or the cache folder cannot be used.
    """
    folder = cache / f"plans-{chosen.split}-{chosen.key(plan_codes.VERSION)}"
    names = ("codes", "offsets")
    if not _complete(folder, names):
        clips = shards.read(chosen.corpus, chosen.split, columns=("events", "frames", "script"))
        plans = [plan_codes.encode(_plan(clip)) for clip in chosen.of(clips)]
        ends = np.cumsum([0, *(len(plan) for plan in plans)])
        _keep(folder, {"codes": np.concatenate(plans), "offsets": ends})
    return Plans(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in names))


def _plan(clip: Clip) -> plan_codes.Plan:
    assert clip.events is not None  # `pair` chooses clips that have them
    meant = () if clip.script is None else plan_codes.expressions_of(clip.script)
    return plan_codes.Plan(clip.events, clip.frames, meant)


def pairs_of(
    corpora: Sequence[Share],
    split: str,
    tokenizer: FrameTokenizer | None,
    encoder: TextEncoder,
    cache: Path,
    texts_per_clip: int = 4,
    needs: tuple[str, ...] = ("texts", "events"),
) -> Pairs:
    """Clips of a split of every corpus, as `pair` makes them, as one.

    Raises:
        FileProblem: a corpus or the cache folder cannot be used.
        InvalidInput: there are no clips, or none that has what is needed, see `choose_all`.
    """
    chosen = choose_all(corpora, split, *needs)
    parts = [pair(clips, tokenizer, encoder, cache, texts_per_clip) for clips, _ in chosen]
    if len(parts) == 1:
        return parts[0]
    blend = Blend.of([len(part) for part in parts], [weight for _, weight in chosen])
    clips = ClipTokens(*joined([(part.clips.codes, part.clips.offsets) for part in parts], blend))
    plans = Plans(*joined([(part.plans.codes, part.plans.offsets) for part in parts], blend))
    banks = [part.bank for part in parts]
    texts_before = np.cumsum([0, *(len(bank.starts) for bank in banks)])
    states_before = np.cumsum([0, *(len(bank.states) for bank in banks)])
    texts = np.stack(
        [
            parts[corpus].texts[place] + texts_before[corpus]
            for corpus, place in zip(blend.corpora, blend.places, strict=True)
        ]
    )
    bank = TextBank(
        Joined([each.states for each in banks]),
        Joined([each.seconds for each in banks]),
        np.concatenate([each.starts + before for each, before in zip(banks, states_before[:-1], strict=True)]),
        np.concatenate([each.lengths for each in banks]),
    )
    return Pairs(clips, plans, texts, bank, parts[0].encoder, blend)


def joined(parts: Sequence[tuple[Laid, Ints]], blend: Blend) -> tuple[Joined, Ints]:
    """Clips of several corpora, each (rows, offsets), in the order of a blend: rows and offsets."""
    spans = []
    for corpus, place in zip(blend.corpora, blend.places, strict=True):
        rows, offsets = parts[corpus]
        spans.append(rows[offsets[place] : offsets[place + 1]])
    return Joined(spans), np.cumsum([0, *map(len, spans)])


def pair(
    chosen: Chosen,
    tokenizer: FrameTokenizer | None,
    encoder: TextEncoder,
    cache: Path,
    texts_per_clip: int = 4,
) -> Pairs:
    """Clips with their plans and the states of their texts, from the cache where they are there.

    Args:
        chosen: clips that have texts and events.
        tokenizer: of the codes; None leaves the codes out.
        encoder: of the texts.
        cache: folder to keep both in.
        texts_per_clip: texts of a clip that are used; one of every level of detail comes first.

    Raises:
        FileProblem: the corpus or the cache folder cannot be used.
    """
    clips = tokenise(chosen, tokenizer, cache) if tokenizer else untokenised(chosen)
    told = chosen.of(shards.read(chosen.corpus, chosen.split, columns=("texts",)))
    rows = [_chosen(clip.texts, texts_per_clip) for clip in told]
    places: dict[str, int] = {}
    texts = np.array([[places.setdefault(text, len(places)) for text in row] for row in rows], np.int64)
    folder = cache / f"texts-{chosen.split}-{chosen.key(encoder.name, str(texts_per_clip))}"
    bank = _bank(list(places), encoder, folder, chosen.split)
    return Pairs(clips, planned(chosen, cache), texts, bank, encoder.name)


class Batches:
    """Batches of pairs; clips of like length go together, to save padding.

    Args:
        pairs: to draw from; every clip once an epoch, with one of its texts. Of several corpora, clips of each as often
            as its weight says.
        size: clips a batch; fewer where there are fewer.
        seed: of the order.
    """

    def __init__(self, pairs: Pairs, size: int, seed: int) -> None:
        self._pairs, self._size, self._seed = pairs, min(size, len(pairs)), seed
        self._per_epoch = len(pairs) // self._size
        self._epoch, self._order, self._texts = -1, np.empty(0, np.int64), np.empty(0, np.int64)

    def batch(self, step: int) -> Batch:
        """The batch of that step."""
        epoch, place = divmod(step, self._per_epoch)
        if epoch != self._epoch:
            self._shuffle(epoch)
        clips = self._order[place]
        return collate(self._pairs, clips, self._texts[clips])

    def _shuffle(self, epoch: int) -> None:
        draw = np.random.default_rng((self._seed, epoch))
        count = self._per_epoch * self._size
        blend = self._pairs.blend
        shuffled = (draw.permutation(len(self._pairs)) if blend is None else blend.epoch(draw))[:count]
        which = draw.integers(0, self._pairs.texts.shape[1], len(self._pairs))
        self._texts = self._pairs.texts[np.arange(len(self._pairs)), which]
        # Where there are no codes a sequence is words and plan, and words and frames elsewhere.
        clips = self._pairs.clips
        places = clips.offsets if clips.codes.shape[1] else self._pairs.plans.offsets
        lengths = np.diff(places) + self._pairs.bank.lengths[self._texts]
        span = self._size * _BUCKET
        buckets = [shuffled[start : start + span] for start in range(0, count, span)]
        ordered = np.concatenate([bucket[np.argsort(lengths[bucket], kind="stable")] for bucket in buckets])
        self._order = draw.permutation(ordered.reshape(-1, self._size))
        self._epoch = epoch


def in_order(pairs: Pairs, size: int, limit: int) -> Iterator[Batch]:
    """The first `limit` clips with their first texts, shortest first."""
    clips = np.arange(min(limit, len(pairs)))
    clips = clips[np.argsort(np.diff(pairs.clips.offsets)[clips], kind="stable")]
    for start in range(0, len(clips), size):
        part = clips[start : start + size]
        yield collate(pairs, part, pairs.texts[part, 0])


def collate(pairs: Pairs, clips: Ints, texts: Ints) -> Batch:
    """The given clips (B,), each with the given text (B,), padded."""
    tokens, bank = pairs.clips, pairs.bank
    frames, words = np.diff(tokens.offsets)[clips], bank.lengths[texts]
    codes = np.zeros((len(clips), int(frames.max()), tokens.codes.shape[1]), np.int64)
    states = np.zeros((len(clips), int(words.max()), bank.states.shape[1]), np.float32)
    seconds = np.full(states.shape[:2], -1.0, np.float32)
    for row, (clip, text) in enumerate(zip(clips, texts, strict=True)):
        codes[row, : frames[row]] = tokens.codes[tokens.offsets[clip] : tokens.offsets[clip + 1]]
        span = slice(bank.starts[text], bank.starts[text] + words[row])
        states[row, : words[row]], seconds[row, : words[row]] = bank.states[span], bank.seconds[span]
    mask = np.arange(states.shape[1]) < words[:, None]
    rows = pairs.plans.offsets[clips + 1] - pairs.plans.offsets[clips]
    plans = np.zeros((len(clips), int(rows.max()), pairs.plans.codes.shape[1]), np.int64)
    for row, clip in enumerate(clips):
        plans[row, : rows[row]] = pairs.plans.codes[pairs.plans.offsets[clip] : pairs.plans.offsets[clip + 1]]
    text = TextStates(torch.from_numpy(states), torch.from_numpy(mask), torch.from_numpy(seconds))
    return Batch(codes, frames, text, plans, rows - 1)


def corrupt(batch: Batch, strongest: float, codebook_size: int, draw: np.random.Generator) -> npt.NDArray[np.int64]:
    """Codes (B, T, L) with a random share of the frames spoilt, as a history that was generated may be.

    Each clip draws its share from U(0, strongest). A spoilt frame is either a near one, up to 5 frames away,
    or keeps its first codes and has random ones from some level on.
    """
    codes, (size, frames, levels) = batch.codes, batch.codes.shape
    spoilt = draw.random((size, frames)) < draw.uniform(0, strongest, (size, 1))
    near = np.arange(frames) + draw.integers(-5, 6, (size, frames))
    near = np.clip(near, 0, batch.frames[:, None] - 1)
    moved = np.take_along_axis(codes, near[..., None], axis=1)
    from_level = draw.integers(0, levels, (size, frames, 1))
    wrong = np.where(np.arange(levels) >= from_level, draw.integers(0, codebook_size, codes.shape), codes)
    other = np.where(draw.random((size, frames, 1)) < 0.5, moved, wrong)
    return np.where(spoilt[..., None], other, codes)


def _chosen(texts: Sequence[Text], count: int) -> list[str]:
    """Texts of a clip, one of each level of detail first, repeated where there are too few."""
    seen: dict[str, int] = {}
    ranked: list[tuple[int, int, str]] = []
    for place, text in enumerate(texts):
        rank = seen[text.detail] = seen.get(text.detail, -1) + 1
        ranked.append((rank, place, text.text))
    ordered = [text for _, _, text in sorted(ranked)]
    return [ordered[i % len(ordered)] for i in range(count)]


def _bank(texts: list[str], encoder: TextEncoder, folder: Path, split: str) -> TextBank:
    names = ("states", "seconds", "starts", "lengths")
    if not _complete(folder, names):
        starts, lengths = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.int64)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        parts: list[npt.NDArray[np.float16]] = []
        amounts: list[npt.NDArray[np.float16]] = []
        written = 0
        for first in _shown(range(0, len(order), _ENCODED_AT_ONCE), f"Word states of the {split} texts"):
            chosen = order[first : first + _ENCODED_AT_ONCE]
            encoded = encoder.encode([texts[i] for i in chosen], truncate=True)
            lengths[chosen] = encoded.mask.sum(1).cpu().numpy()
            starts[chosen] = written + np.concatenate([[0], np.cumsum(lengths[chosen])[:-1]])
            parts.append(encoded.states[encoded.mask].half().cpu().numpy())
            amounts.append(encoded.seconds[encoded.mask].half().cpu().numpy())
            written += len(parts[-1])
        seconds = np.concatenate(amounts)
        _keep(folder, {"states": np.concatenate(parts), "seconds": seconds, "starts": starts, "lengths": lengths})
    return TextBank(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in names))


def _shown(items: range, what: str) -> Iterable[int]:
    return track(items, what, console=Console(stderr=True))


def _key(corpus: Path, *parts: str) -> str:
    everything = json.dumps([manifest.load(corpus).digest, *parts])
    return hashlib.sha256(everything.encode()).hexdigest()[:16]


def _complete(folder: Path, names: Sequence[str]) -> bool:
    return all((folder / f"{name}.npy").is_file() for name in names)


def _keep(folder: Path, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(f"{folder}: cannot make this folder ({error.strerror or error}).") from error
    for name, array in arrays.items():
        with written_aside(folder / f"{name}.npy") as temporary:
            np.save(temporary, array)
