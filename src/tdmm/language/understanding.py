"""What of a prompt is known: which descriptors it names, and what is near to it when it names none."""

from __future__ import annotations

from dataclasses import dataclass

from tdmm.errors import InvalidPrompt

NEAR = 0.30
"""Cosine similarity of mean token states under which a prompt has nothing to do with any descriptor."""


@dataclass(frozen=True)
class Understanding:
    """What was understood. `note` is for the user, empty when there is nothing to say."""

    descriptors: tuple[str, ...]
    note: str = ""


def understand(prompt: str) -> Understanding:
    """Find the known words of a prompt; when there is none, the descriptors nearest in meaning.

    A prompt that names something in the lexicon, or a head motion, gaze or blink, passes in silence. One
    that does not is still acted by its meaning, and the note names the nearest descriptors. One that is
    near to nothing is refused.

    Raises:
        InvalidPrompt: nothing in the prompt is about a face.
    """
    import re

    from tdmm.acting import lexicon, narrator

    names = tuple(mention.descriptor for mention in lexicon.load().mentions(prompt))
    if names:
        return Understanding(names)
    words = set(re.findall(r"[a-z]+", prompt.lower()))
    if words & narrator.words_known():
        return Understanding(())
    nearest = _nearest(prompt)
    if nearest[0][1] < NEAR:
        raise InvalidPrompt(
            f"Nothing in {prompt!r} is about a face. Say what the face does, for example "
            '"she smiles and nods"; `tdmm lexicon` lists what it knows.'
        )
    listed = ", ".join(name for name, _ in nearest)
    return Understanding(
        tuple(name for name, _ in nearest),
        f"tdmm: no word of this prompt is in the lexicon; acting by meaning alone (nearest: {listed}).",
    )


def _nearest(prompt: str, count: int = 3) -> list[tuple[str, float]]:
    import torch

    from tdmm.acting import lexicon
    from tdmm.language.text_encoder import load_text_encoder

    names = list(lexicon.load().descriptors)
    states = load_text_encoder().encode([prompt, *(name.replace("_", " ") for name in names)])
    mask = states.mask.unsqueeze(-1).to(states.states.dtype)
    means = torch.nn.functional.normalize((states.states * mask).sum(1) / mask.sum(1), dim=-1)
    similarity = means[1:] @ means[0]
    best = similarity.topk(count)
    return [(names[int(i)], float(v)) for v, i in zip(best.values, best.indices, strict=True)]
