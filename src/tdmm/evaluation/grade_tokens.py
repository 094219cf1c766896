"""What a tokenizer loses, in millimetres and degrees, and how it uses its codes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from tdmm import weights
from tdmm.acting.actor import perform
from tdmm.errors import ArtifactProblem, FileProblem, InvalidMotion
from tdmm.evaluation import definitions
from tdmm.evaluation.grade_animate import grade_clip
from tdmm.evaluation.held_out import SEED, clips, prompts
from tdmm.evaluation.metric import Definition, Measurement, Progress, average, exact, share, silent, skipped
from tdmm.face.channels import ARKIT
from tdmm.face.geometry import FACE_REGIONS, vertex_errors_mm
from tdmm.motion.clip import FPS, FaceMotion
from tdmm.motion.files import load
from tdmm.motion.timeline import resample
from tdmm.tokens.fidelity import rotation_errors_deg
from tdmm.tokens.quantizers import CodeUsage
from tdmm.tokens.tokenizer import Tokenizer

GRADED: dict[str, weights.Name] = {"rvq": "tokenizer", "vq": "tokenizer_vq"}
"""The artifacts that are graded, by kind."""


def grade_tokens(
    count: int = 500,
    seed: int = SEED,
    capture: Path | None = None,
    folders: Mapping[str, Path] | None = None,
    progress: Progress = silent,
) -> tuple[Measurement, ...]:
    """Errors of every tokenizer on held-out acted clips and on a real capture.

    Args:
        capture: a motion file of a real performer; None skips those figures.
        folders: kind to artifact folder; None is those in use.
    """
    motions = [clip.performance.motion for clip in clips(count, seed)]
    found: list[Measurement] = []
    if folders is None:
        folders = {kind: weights.folder(name) for kind, name in GRADED.items()}
    for kind, folder in folders.items():
        acted, real = definitions.tokens(kind, "acted"), definitions.tokens(kind, "capture")
        try:
            tokenizer = Tokenizer.load(folder)
        except (ArtifactProblem, FileProblem) as error:
            found += [skipped(definition, str(error)) for definition in (*acted.values(), *real.values())]
            continue
        found += _acted(tokenizer, acted, motions, progress, kind)
        found += _ceilings(tokenizer, acted, max(1, round(count * _PROMPTS_A_CLIP)), seed)
        found += _captured(tokenizer, real, capture)
    return tuple(found)


def reconstruction_errors(before: FaceMotion, after: FaceMotion) -> dict[str, float]:
    """How far two motions of the same length are apart, frame by frame, each a mean over frames.

    Returns:
        `vertex` and `vertex_<region>` in millimetres with the head held still, `head` in degrees (angle of
        the rotation between the two), `translation` in millimetres, `coefficient` unitless.
    """
    one, other = before.in_order(ARKIT), after.in_order(ARKIT)
    by_region = vertex_errors_mm(one, other)
    errors = {f"vertex_{region}": by_region[region] for region in FACE_REGIONS}
    moved = before.translation_or_zeros() - after.translation_or_zeros()
    return {
        "vertex": by_region["face"],
        "head": float(rotation_errors_deg(before.head, after.head).mean()),
        "translation": 1000.0 * float(np.linalg.norm(moved, axis=1).mean()),
        "coefficient": float(np.abs(one - other).mean()),
        **errors,
    }


def _acted(
    tokenizer: Tokenizer,
    wanted: Mapping[str, Definition],
    motions: Sequence[FaceMotion],
    progress: Progress,
    kind: str,
) -> list[Measurement]:
    errors: list[dict[str, float]] = []
    unchanged: list[float] = []
    usage = CodeUsage(tokenizer.levels, tokenizer.codebook_size)
    for index, motion in enumerate(motions):
        tokens = tokenizer.encode(motion)
        errors.append(reconstruction_errors(motion, tokenizer.decode(tokens)))
        usage.add(torch.from_numpy(tokens.codes.copy()))
        first = tokens.codes[:, 0]
        unchanged.append(float((first[1:] == first[:-1]).mean()) if tokens.frames > 1 else 1.0)
        progress(index + 1, len(motions), f"clips through {kind}")
    frames = sum(motion.frames for motion in motions)
    used, perplexity = usage.used(), usage.perplexity()
    bits = tokenizer.levels * math.log2(tokenizer.codebook_size)
    levels = "by level: " + ", ".join(f"{100 * share:.0f}%" for share in used)
    spread = "by level: " + ", ".join(f"{each:.0f}" for each in perplexity)
    size = f"{tokenizer.levels} x {tokenizer.codebook_size} codes"
    return [
        *(average(wanted[name], [each[name] for each in errors]) for name in errors[0]),
        average(wanted["unchanged"], unchanged),
        exact(wanted["bits"], bits, tokenizer.levels, size),
        exact(wanted["code_use"], min(used), frames, levels),
        exact(wanted["perplexity"], min(perplexity), frames, spread),
    ]


_PROMPTS_A_CLIP = 0.4


def _ceilings(tokenizer: Tokenizer, wanted: Mapping[str, Definition], count: int, seed: int) -> list[Measurement]:
    """Asked actions, and their sides, that can still be seen in acted clips after the tokenizer."""
    shown, sides = [], []
    for prompt in prompts(count, seed):
        motion = perform(prompt.script, prompt.seed).motion
        events = grade_clip(prompt, tokenizer.decode(tokenizer.encode(motion))).events
        shown.append(all(event.appears for event in events))
        sides += [event.on_side for event in events if event.on_side is not None]
    return [share(wanted["action"], shown), share(wanted["side"], sides)]


def _captured(tokenizer: Tokenizer, wanted: Mapping[str, Definition], path: Path | None) -> list[Measurement]:
    if path is None:
        return [skipped(definition, "no real capture given (--capture FILE)") for definition in wanted.values()]
    try:
        motion = resample(load(path), FPS)
    except (FileProblem, InvalidMotion) as error:
        return [skipped(definition, str(error)) for definition in wanted.values()]
    # A capture may overshoot 1 by a little; tokens are of what a face can do.
    motion = motion.with_(expression=np.clip(motion.expression, 0.0, 1.0))
    errors = reconstruction_errors(motion, tokenizer.decode(tokenizer.encode(motion)))
    note = f"{path.name}, {motion.seconds:.0f} s"
    return [exact(wanted[name], value, 1, note) for name, value in errors.items()]
