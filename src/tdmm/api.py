"""The functions behind the commands: what a program imports, the command line calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tdmm.acting.script import Script
from tdmm.errors import InvalidInput, InvalidMotion, InvalidPrompt
from tdmm.motion.clip import FaceMotion

if TYPE_CHECKING:
    from tdmm.corpus.tracking.people import Which
    from tdmm.language.influence import Influence
    from tdmm.language.motion2language import Motion2Language
    from tdmm.language.performer import FaceFrame, Performer
    from tdmm.language.plan_codes import Plan
    from tdmm.language.prompt import Row
    from tdmm.language.understanding import Understanding
    from tdmm.tokens.tokenizer import Tokenizer

MAX_WORDS = 300
"""Words of the longest prompt; more than some 45 are planned in parts."""
SECONDS = (0.5, 30.0)
STRENGTH = (0.0, 3.0)


def animate(
    prompt: str,
    *,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float | None = None,
    temperature: float | None = None,
    strength: float = 1.0,
    identity: int | None = None,
) -> FaceMotion:
    """Turn words into a moving face.

    Args:
        prompt: what the face does, in English: a sentence, a longer text, or a timeline such as
            "[0-2s] curious look | [2-4s] breaks into a laugh". `(furious:1.4)` gives words a weight.
        seconds: length, up to 30; None is as long as it takes.
        seed: another seed is another take of the same words.
        guidance: how hard the words pull; 1 is plain sampling, None the default.
        temperature: how much takes differ; None is the default.
        strength: of everything that happens, as a multiple.
        identity: seed of a random head; None is the average one. The motion stays the same.

    Returns:
        A motion at 25 fps on the `arkit` rig, coefficients within [0, 1]. `edit` can change it later.

    Raises:
        InvalidPrompt: empty, too long, without one word of language in it, or a timeline that cannot be played.
        InvalidInput: `seconds`, `guidance`, `temperature` or `strength` is out of range.
    """
    return animate_many(
        [prompt], [seed], seconds=seconds, guidance=guidance, temperature=temperature, strength=strength,
        identity=identity,
    )[0]  # fmt: skip


def animate_many(
    prompts: Sequence[str],
    seeds: Sequence[int],
    *,
    seconds: float | None = None,
    guidance: float | None = None,
    temperature: float | None = None,
    strength: float = 1.0,
    identity: int | None = None,
) -> list[FaceMotion]:
    """`animate` for several prompts at once; a clip does not depend on the others beside it.

    Raises:
        InvalidPrompt, InvalidInput: as `animate`; the first bad prompt stops all.
    """
    for prompt in prompts:
        check_prompt(prompt)
    artist = performer(guidance, temperature, seconds, strength)
    scenes = [
        artist.stage(prompt, seed, seconds=seconds, strength=strength)
        for prompt, seed in zip(prompts, seeds, strict=True)
    ]
    motions = artist.perform(scenes, seeds, may_end_early=seconds is None)
    coefficients = None if identity is None else random_identity(identity)
    return [motion.with_(identity=coefficients) for motion in motions]


def play(
    rows: str | Path | Sequence[Row],
    *,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float | None = None,
    temperature: float | None = None,
    strength: float = 1.0,
) -> FaceMotion:
    """Animate a timeline.

    Args:
        rows: rows, or the path of a YAML file of `{at: [0, 2], do: curious look}`.
        seconds, seed, guidance, temperature, strength: as in `animate`.

    Raises:
        InvalidPrompt: rows overlap, run backwards, say nothing, or the file is wrong.
        FileProblem: it cannot be read.
    """
    from tdmm.language.prompt import checked, read_timeline

    played = read_timeline(Path(rows)) if isinstance(rows, str | Path) else checked(rows)
    artist = performer(guidance, temperature, seconds, strength)
    scene = artist.stage("", seed, seconds=seconds, rows=played, strength=strength)
    return artist.perform([scene], [seed])[0]


def edit(
    motion: FaceMotion | str | Path,
    prompt: str,
    *,
    seed: int | None = None,
    guidance: float | None = None,
    temperature: float | None = None,
    strength: float = 1.0,
) -> FaceMotion:
    """Another prompt for a motion, keeping what the words leave alone: timing, head, blinks, length.

    Args:
        motion: made by `animate`, or any other on the `arkit` rig: then what it does is read from it.
        prompt: what the face does instead.
        seed: None is the seed it was made with.
        guidance, temperature, strength: as in `animate`.

    Raises:
        InvalidMotion: the file or the motion cannot be read.
        InvalidPrompt, InvalidInput: as in `animate`.
    """
    from tdmm.language.performer import plan_of

    check_prompt(prompt)
    if not isinstance(motion, FaceMotion):
        motion = load(motion)
    if seed is None:
        made_with = motion.provenance.get("seed", 0)
        seed = made_with if isinstance(made_with, int) else 0
    artist = performer(guidance, temperature, None, strength)
    scene = artist.stage(prompt, seed, strength=strength, like=plan_of(motion) or _read_plan(motion))
    return artist.perform([scene], [seed])[0].with_(identity=motion.identity)


def extend(
    motion: FaceMotion | str | Path,
    prompt: str,
    *,
    until: FaceMotion | str | Path | None = None,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float | None = None,
    temperature: float | None = None,
    strength: float = 1.0,
) -> FaceMotion:
    """Go on from a motion, without a seam; `until` another one, which then follows.

    Args:
        motion: what comes first, on the `arkit` rig; it is kept as it is, at 25 fps.
        prompt: what comes next.
        until: a motion to lead to: the gap between the two is filled.
        seconds: length of what is new.
        seed, guidance, temperature, strength: as in `animate`.

    Raises:
        InvalidMotion: a file or a motion cannot be read, or is on another rig.
        InvalidPrompt, InvalidInput: as in `animate`.
    """
    check_prompt(prompt)
    first = motion if isinstance(motion, FaceMotion) else load(motion)
    last = until if isinstance(until, FaceMotion) or until is None else load(until)
    artist = performer(guidance, temperature, seconds, strength)
    return artist.extend(first, prompt, seed, seconds=seconds, until=last, strength=strength)


def stream(
    prompt: str,
    *,
    seconds: float | None = None,
    seed: int = 0,
    guidance: float | None = None,
    temperature: float | None = None,
    strength: float = 1.0,
) -> Iterator[FaceFrame]:
    """The frames of `animate`, each as soon as it is known. Arguments and errors are those of `animate`."""
    check_prompt(prompt)
    artist = performer(guidance, temperature, seconds, strength)
    scene = artist.stage(prompt, seed, seconds=seconds, strength=strength)
    return artist.stream(scene, seed, may_end_early=seconds is None)


def explain(prompt: str, *, seed: int = 0, guidance: float | None = None) -> Influence:
    """Which word of a prompt brought about what, and when.

    Raises:
        InvalidPrompt: as in `animate`, or it is a timeline.
    """
    check_explainable(prompt)
    artist = performer(guidance)
    return artist.animator.explain(prompt, seed, artist.planning)


def check_explainable(prompt: str) -> None:
    """Refuse what `explain` cannot draw, before any model is loaded.

    Raises:
        InvalidPrompt: see `explain`.
    """
    from tdmm.language.prompt import timeline

    check_prompt(prompt)
    if timeline(prompt):
        raise InvalidPrompt("Every row of a timeline is planned by itself. Explain one of them: give its words alone.")


def best(takes: Sequence[FaceMotion]) -> FaceMotion:
    """The take of a prompt that shows most of what was planned in at least half of them, by the reader.

    Args:
        takes: made by `animate` or `animate_many` from one prompt with several seeds.

    Raises:
        InvalidInput: there is none.
        InvalidMotion: one has no plan inside.
    """
    from tdmm.evaluation import picking
    from tdmm.language.performer import plan_of

    plans = [plan_of(take) for take in takes]
    if not takes:
        raise InvalidInput("There are no takes to pick from.")
    if any(plan is None for plan in plans):
        raise InvalidMotion("A take has no plan inside; only motions that tdmm animate made can be picked from.")
    return takes[picking.best(takes, [plan.events for plan in plans if plan is not None])]


def describe(motion: FaceMotion | str | Path, *, task: str = "describe", ask: str | None = None) -> str:
    """Say what a face does, or answer a question about it.

    Args:
        motion: a motion, or the path of an `.npz` or Live Link `.csv` file.
        task: `describe` (a sentence), `emotion`, `head`, `intensity`, `timeline` or `micro` (micro-expressions).
        ask: a question that yes or no answers, in place of a task: "does she blink twice?"

    Returns:
        A text about what was in sight; of a question "yes" or "no" and what was seen, or that it cannot be told. Where
        the face was away for half a second or more, a question is answered for each stretch in sight, with its seconds.

    Raises:
        InvalidMotion: the file or the motion cannot be read, or its face is never in sight.
        InvalidInput: the task is unknown to the model, or the question is empty or asks for more than yes or no.
    """
    if not isinstance(motion, FaceMotion):
        motion = load(motion)
    return describe_many([motion], task=task, ask=None if ask is None else [ask])[0]


def describe_many(
    motions: Sequence[FaceMotion], *, task: str = "describe", ask: Sequence[str] | None = None
) -> list[str]:
    """`describe` for several motions at once; `ask` holds a question for each.

    Raises:
        InvalidInput: as `describe`; or there is a task beside the questions, or not one for each motion.
    """
    if ask is not None and task not in ("describe", "question"):
        raise InvalidInput(f"A question takes the place of a task; leave out one of them (the task is '{task}').")
    from tdmm.acting.answers import TASKS, answer
    from tdmm.language import account
    from tdmm.language.stretches import joined, stretches

    model, tokenizer = motion2language(), _tokenizer()
    if ask is None and task in TASKS and {task, *account.NEEDED} <= {*model.tasks}:
        return [answer(script, task, seed=0) for script in account.transcribe(model, tokenizer, motions)]
    if ask is not None and len(ask) != len(motions):
        raise InvalidInput(f"{len(ask)} questions for {len(motions)} motions; give one for each.")
    parts = [stretches(tokenizer, motion, model.config.max_frames) for motion in motions]
    tokens = [part.tokens for one in parts for part in one]
    if ask is None:
        texts = iter(model.describe(tokens, task=task))
    else:
        texts = iter(model.ask(tokens, [question for question, one in zip(ask, parts, strict=True) for _ in one]))
    times = [[(part.start, part.start + part.seconds) for part in one] for one in parts]
    return [joined([next(texts) for _ in each], each) for each in times]


def transcribe(motion: FaceMotion | str | Path) -> Script:
    """Write down what a face does, as a script that can be changed and acted again.

    Expressions have their names in the lexicon, sides, degrees and seconds; head motions and looks their seconds.

    Args:
        motion: a motion, or the path of an `.npz` or Live Link `.csv` file.

    Raises:
        InvalidMotion: the file or the motion cannot be read.
        InvalidInput: the model (one of your own) was not trained on what this needs.
    """
    from tdmm.language import account

    if not isinstance(motion, FaceMotion):
        motion = load(motion)
    return account.transcribe(motion2language(), _tokenizer(), [motion])[0]


def track(
    video: str | Path, *, face: Which = "largest", focal: float | None = None, landmarker: str | Path | None = None
) -> FaceMotion:
    """Track a face in a video: blendshapes, head and identity on our head, at 25 fps.

    Args:
        video: a video, an animated image, a still, or a folder of images.
        face: `largest`, or a place among the faces, 1 the largest. (`tdmm.corpus.tracking.track.track` tracks all.)
        focal: of the camera, in units of the picture's longer side; None estimates it.
        landmarker: MediaPipe's `face_landmarker.task`; None looks for it, see `docs/tracking.md`.

    Returns:
        A motion whose confidence is 0 where the face was not found.

    Raises:
        MissingDependency: the extra `[video]` is not installed.
        FileProblem, InvalidVideo: the video cannot be read, or shows no face.
        InvalidInput: there is no such face in it.
    """
    from tdmm.corpus.tracking.mediapipe_faces import open_tracker
    from tdmm.corpus.tracking.track import MOST_FACES, TrackOptions
    from tdmm.corpus.tracking.track import track as track_video

    if face == "all":
        raise InvalidInput("Several faces are several motions: use tdmm.corpus.tracking.track.track for all of them.")
    task = None if landmarker is None else Path(landmarker)
    tracker = open_tracker(task, faces=1 if face == "largest" else MOST_FACES)
    try:
        (found,) = track_video(Path(video), tracker, TrackOptions(face=face, focal=focal))
    finally:
        tracker.close()
    return found.motion


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
    """Say which descriptors a prompt names, and whether it names anything.

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


def use_models(folder: str | Path | None) -> None:
    """Put one's own models in the place of the bundled ones, for all that is called from now on.

    Args:
        folder: with one or more of `planner`, `language2motion`, `motion2language`, `tokenizer` and `phrases` in it,
            as the train commands write them; for the others, and where it is None, the bundled ones are used.

    Raises:
        InvalidInput: it holds no models.
    """
    from tdmm import weights
    from tdmm.language.text_encoder import load_text_encoder

    weights.use(None if folder is None else Path(folder))
    for loaded in (_performer, motion2language, _tokenizer, load_text_encoder):
        loaded.cache_clear()


def performer(
    guidance: float | None = None,
    temperature: float | None = None,
    seconds: float | None = None,
    strength: float = 1.0,
) -> Performer:
    """The bundled models, loaded once, to draw as asked.

    Raises:
        InvalidInput: a value is out of range.
    """
    _check_options(seconds, guidance, temperature, strength)
    artist = _performer()
    planning, sampling = artist.planning, artist.sampling
    if guidance is not None:
        planning = replace(planning, guidance=guidance)
    if temperature is not None:
        planning, sampling = replace(planning, temperature=temperature), replace(sampling, temperature=temperature)
    return replace(artist, planning=planning, sampling=sampling)


@lru_cache(maxsize=1)
def _performer() -> Performer:
    from tdmm.language.animator import Animator
    from tdmm.language.performer import Performer

    return Performer(Animator.load(_tokenizer()), _tokenizer())


def _read_plan(motion: FaceMotion) -> Plan:
    """What the reader finds in a motion, as a plan."""
    from tdmm.language.plan_codes import Plan
    from tdmm.motion.timeline import resample
    from tdmm.reading.reader import read

    at_25 = resample(motion)
    return Plan(read(at_25), at_25.frames)


@lru_cache(maxsize=1)
def motion2language() -> Motion2Language:
    """The bundled Motion2Language, loaded once."""
    from tdmm.language.motion2language import Motion2Language

    return Motion2Language.load()


@lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    from tdmm.tokens.tokenizer import Tokenizer

    return Tokenizer.load()


def _check_options(seconds: float | None, guidance: float | None, temperature: float | None, strength: float) -> None:
    low, high = SECONDS
    if seconds is not None and not low <= seconds <= high:
        raise InvalidInput(f"seconds is {seconds}; it must lie between {low:g} and {high:g}.")
    if guidance is not None and not 0 <= guidance <= 10:
        raise InvalidInput(f"guidance is {guidance}; it must lie between 0 and 10 (1 is plain sampling).")
    if temperature is not None and not 0 <= temperature <= 2:
        raise InvalidInput(f"temperature is {temperature}; it must lie between 0 (always the likeliest) and 2.")
    low, high = STRENGTH
    if not low <= strength <= high:
        raise InvalidInput(f"strength is {strength}; it must lie between {low:g} and {high:g} (1 is as the words say).")


def direct(
    scene: str,
    *,
    endpoint: str,
    model: str,
    api_key: str | None = None,
    timeout: float = 120.0,
    seed: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Script:
    """Have a language model write the script of a scene; `act` performs it. Needs the extra `[api]`.

    Args:
        scene: dialogue, a scene or a feeling ("he learns that his brother lied").
        endpoint: base URL of any OpenAI-compatible server, local or remote.
        model: the model's name there.
        api_key: sent to the endpoint and nowhere else; None where it wants none.
        timeout: seconds to wait for one answer. A script may take a few answers, and each a few tries.
        seed: passed on to servers that know it; None leaves it out.
        progress: told in a few words when an answer has to be mended.

    Returns:
        A script of the lexicon's descriptors only, checked like one from a file.

    Raises:
        InvalidPrompt: the scene is empty or too long.
        InvalidInput: the URL, the model's name, the key or the time-out makes no sense.
        InvalidScript: the model's answers keep breaking the grammar, also after being sent back with their errors.
        EndpointProblem: the endpoint cannot be reached, refuses, or does not answer as one.
        MissingDependency: the extra `[api]` is not installed.
    """
    from tdmm.acting import direction
    from tdmm.acting.endpoint import Endpoint

    direction.check_scene(scene)
    with Endpoint(endpoint, model, api_key=api_key, timeout=timeout, seed=seed) as chat:
        return direction.direct(scene, chat.ask, author=chat.name, progress=progress)
