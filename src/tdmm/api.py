"""The functions behind the commands: what a program imports, the command line calls."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tdmm.acting.script import Script
from tdmm.errors import InvalidInput, InvalidPrompt
from tdmm.motion.clip import FaceMotion

if TYPE_CHECKING:
    from tdmm.language.language2motion import Language2Motion
    from tdmm.language.motion2language import Motion2Language
    from tdmm.language.understanding import Understanding
    from tdmm.tokens.tokenizer import Tokenizer

MAX_WORDS = 70
SECONDS = (0.5, 10.0)


def animate(
    prompt: str,
    *,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float | None = None,
    temperature: float | None = None,
    identity: int | None = None,
) -> FaceMotion:
    """Turn a sentence into a moving face.

    Args:
        prompt: what the face does, at most 70 words of English.
        seconds: length; None lets the model end the motion where it sees fit.
        seed: another seed is another take of the same sentence.
        guidance: how hard the words pull; 1 is plain sampling, None the default.
        temperature: how much takes differ; None is the default.
        identity: seed of a random head; None is the average one. The motion stays the same.

    Returns:
        A motion at 25 fps on the `arkit` rig, coefficients within [0, 1].

    Raises:
        InvalidPrompt: empty, too long, or without one word of language in it.
        InvalidInput: `seconds`, `guidance` or `temperature` is out of range.
    """
    return animate_many(
        [prompt], [seed], seconds=seconds, guidance=guidance, temperature=temperature, identity=identity
    )[0]


def animate_many(
    prompts: Sequence[str],
    seeds: Sequence[int],
    *,
    seconds: float | None = None,
    guidance: float | None = None,
    temperature: float | None = None,
    identity: int | None = None,
) -> list[FaceMotion]:
    """`animate` for several prompts at once; a clip does not depend on the others beside it.

    Raises:
        InvalidPrompt, InvalidInput: as `animate`; the first bad prompt stops all.
    """
    for prompt in prompts:
        check_prompt(prompt)
    _check_options(seconds, guidance, temperature)
    from tdmm.language.sampling import SamplingOptions, generate
    from tdmm.tokens.tokenizer import MotionTokens

    defaults = SamplingOptions()
    options = SamplingOptions(
        guidance=defaults.guidance if guidance is None else guidance,
        temperature=defaults.temperature if temperature is None else temperature,
    )
    model, tokenizer = language2motion(), _tokenizer()
    codes = generate(model, list(prompts), seconds=seconds, seeds=list(seeds), options=options)
    coefficients = None if identity is None else random_identity(identity)
    motions = []
    for prompt, seed, row in zip(prompts, seeds, codes, strict=True):
        motion = tokenizer.decode(MotionTokens(row, tokenizer.fingerprint))
        provenance = {
            "by": "tdmm animate", "prompt": prompt, "seed": seed, "guidance": options.guidance,
            "temperature": options.temperature, "model": model.fingerprint, "tokenizer": tokenizer.fingerprint,
        }  # fmt: skip
        motions.append(motion.with_(text=prompt, provenance=provenance, identity=coefficients))
    return motions


def describe(motion: FaceMotion | str | Path, *, task: str = "describe") -> str:
    """Say what a face does.

    Args:
        motion: a motion, or the path of an `.npz` or Live Link `.csv` file.
        task: `describe` (a sentence), `emotion`, `head`, `intensity` or `timeline`.

    Raises:
        InvalidMotion: the file or the motion cannot be read.
        InvalidInput: the task is unknown.
    """
    if not isinstance(motion, FaceMotion):
        motion = load(motion)
    return describe_many([motion], task=task)[0]


def describe_many(motions: Sequence[FaceMotion], *, task: str = "describe") -> list[str]:
    """`describe` for several motions at once."""
    model, tokenizer = motion2language(), _tokenizer()
    tokens = [tokenizer.encode(motion) for motion in motions]
    return model.describe(tokens, task=task)


def act(script: Script | str | Path, *, seed: int = 0) -> FaceMotion:
    """Perform a script exactly, without a model.

    Args:
        script: a `Script`, or the path of a YAML file (see `docs/script.md`).
        seed: another seed is another take.

    Raises:
        InvalidScript: the file breaks the grammar.
    """
    from tdmm.acting.actor import perform
    from tdmm.acting.grammar import read_script

    if not isinstance(script, Script):
        script = read_script(Path(script))
    return perform(script, seed).motion


def load(path: str | Path) -> FaceMotion:
    """Read a motion from an `.npz` or a Live Link Face `.csv`.

    Raises:
        FileProblem, InvalidMotion: it is missing or not a motion.
    """
    from tdmm.motion.files import load as load_motion

    return load_motion(Path(path))


def save(motion: FaceMotion, *paths: str | Path) -> None:
    """Write a motion to files; the extension says what: .npz .csv .glb .mp4 .png .json.

    Raises:
        UnknownFormat: an extension nobody handles; nothing is written then.
        FileProblem: a folder is missing or read-only.
    """
    from tdmm.export import save as save_motion

    save_motion(motion, [Path(path) for path in paths])


def check_prompt(prompt: str) -> None:
    """Refuse a prompt that cannot be acted, before any model is loaded.

    Raises:
        InvalidPrompt: it is empty, has more than 70 words, or holds no word of letters.
    """
    words = prompt.split()
    if not words:
        raise InvalidPrompt('The prompt is empty. Say what the face does, for example "a shy smile that fades".')
    if len(words) > MAX_WORDS:
        raise InvalidPrompt(
            f"The prompt has {len(words)} words; at most {MAX_WORDS} fit. Say less, or write a script (docs/script.md)."
        )
    if not any(any(letter.isalpha() for letter in word) for word in words):
        raise InvalidPrompt(f"There is no word in {prompt!r}. Say what the face does, in English.")


def understand(prompt: str) -> Understanding:
    """Say which descriptors a prompt names, or which are nearest to it when it names none.

    Raises:
        InvalidPrompt: no word of it is known.
    """
    from tdmm.language.understanding import understand as understood

    return understood(prompt)


def random_identity(seed: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Identity coefficients (I,) of a random head, in standard deviations, within 1.5 of the average."""
    from tdmm.face.arkit import load_head

    drawn = np.random.default_rng(seed).normal(0.0, 0.7, load_head().identity_size)
    return np.clip(drawn, -1.5, 1.5).astype(np.float32)


@lru_cache(maxsize=1)
def language2motion() -> Language2Motion:
    """The bundled Language2Motion, loaded once."""
    from tdmm.language.language2motion import Language2Motion

    return Language2Motion.load()


@lru_cache(maxsize=1)
def motion2language() -> Motion2Language:
    """The bundled Motion2Language, loaded once."""
    from tdmm.language.motion2language import Motion2Language

    return Motion2Language.load()


@lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    from tdmm.tokens.tokenizer import Tokenizer

    return Tokenizer.load()


def _check_options(seconds: float | None, guidance: float | None, temperature: float | None) -> None:
    low, high = SECONDS
    if seconds is not None and not low <= seconds <= high:
        raise InvalidInput(f"seconds is {seconds}; it must lie between {low} and {high}.")
    if guidance is not None and not 0 <= guidance <= 10:
        raise InvalidInput(f"guidance is {guidance}; it must lie between 0 and 10 (1 is plain sampling).")
    if temperature is not None and not 0 <= temperature <= 2:
        raise InvalidInput(f"temperature is {temperature}; it must lie between 0 (always the likeliest) and 2.")
