"""`build`: a recipe becomes a corpus, whatever its clips are made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tdmm.corpus.act import said
from tdmm.corpus.manifest import Manifest, sha256
from tdmm.corpus.pipeline.ledger import NAME as LEDGER
from tdmm.corpus.pipeline.runner import BuildOptions, Progress, run
from tdmm.corpus.pipeline.stage import Job, Stage
from tdmm.corpus.pipeline.status import FinishedClip, Summary, fates, finished, status, told
from tdmm.corpus.prompts.suite import suite
from tdmm.corpus.prompts.takes import take, take_of, takes_due
from tdmm.corpus.quality.duplicates import Kept, signature
from tdmm.corpus.recipe import CorpusRecipe
from tdmm.corpus.recordings.listing import list_recordings
from tdmm.corpus.recordings.recording import FACTS as RECORDINGS
from tdmm.corpus.rows import Detail, Row, Text
from tdmm.corpus.sharding import write_shards
from tdmm.corpus.stages.captions import CaptionStage
from tdmm.corpus.stages.cutting import FURTHER, WINDOW_ID, CutStage, further_windows, person_in, window_job
from tdmm.corpus.stages.polish import PolishStage
from tdmm.corpus.stages.quality import QualityStage
from tdmm.corpus.stages.tracking import ImportStage, TrackStage
from tdmm.corpus.stages.video import PROMPTS, VideoStage, prompt_of
from tdmm.corpus.video.backend import open_backend
from tdmm.errors import TdmmError
from tdmm.files import written_aside
from tdmm.motion.clip import FaceMotion
from tdmm.motion.files import load
from tdmm.reading.matching import EventKind, Recall
from tdmm.reading.reader import read

DUPLICATES = "duplicates.jsonl"
"""Clips that were left out of the shards because they repeat another, beside them."""

_SHORT, _LONG = 8, 25
"""Words below which a text is short, and from which on it is long."""


@dataclass(frozen=True)
class Built:
    """What became of a recipe.

    Attributes:
        summary: of the pipeline.
        manifest: of the corpus; None when the pipeline was interrupted.
        duplicates: clips that repeat another and were left out.
        again: clips that were made again of prompts whose clips had been rejected.
        windows: clips of recordings beside their first.
        recalls: of prompted clips, by kind: how many events their scripts ask for, and how many of them the reader
            finds in the tracked motions of all first takes that were tracked.
    """

    summary: Summary
    manifest: Manifest | None
    duplicates: int = 0
    again: int = 0
    windows: int = 0
    recalls: Mapping[EventKind, Recall] = field(default_factory=dict)


@dataclass(frozen=True)
class Due:
    """Clips beside those that a recipe names, as earlier rounds have shown.

    Attributes:
        takes: how many there are to be of a prompt, where there is more than one, by the id of the first.
        windows: of a recording beside the first, by its id; see `further_windows`.
    """

    takes: Mapping[str, int] = field(default_factory=dict)
    windows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


def build(
    recipe: CorpusRecipe,
    folder: Path,
    options: BuildOptions | None = None,
    *,
    command: str = "tdmm corpus build RECIPE",
    progress: Progress | None = None,
    written: Callable[[int], None] | None = None,
) -> Built:
    """Make a corpus, or go on with it.

    It goes in rounds: where the recipe allows several takes, clips that were rejected are made again; recordings that
    have several windows give a clip of each.

    Args:
        recipe: what it is to be.
        folder: of the corpus; made if it is missing.
        options: how it is made.
        command: that made it, without its folder; messages about damage name it.
        progress: told how far the pipeline is.
        written: called with how many clips were written to shards since it was called last.

    Raises:
        InvalidInput, InvalidConfig: the recipe makes no sense, or differs from what the folder holds.
        TdmmError: what a user can mend (a package, a key, a quota, a disk); all that was made is kept.
    """
    options = options or BuildOptions()
    # What was rejected or cut under another recipe need not be made again: a redo begins with first takes and windows.
    due = Due() if options.redo else _due(recipe, folder)
    while True:
        summary = run(folder, stages_of(recipe, folder), jobs_of(recipe, due), options, progress)
        if summary.interrupted:
            return Built(summary, None)
        made, due = due, _due(recipe, folder)
        if due == made:
            break
        options = replace(options, redo=False)
    if not summary.finished:
        reasons = ", ".join(f"{rule} {count}" for (_, rule), count in summary.rejections.items()) or "none rejected"
        raise TdmmError(
            f"{folder}: none of {summary.clips} clips passed every stage ({reasons}). Look closer: tdmm corpus status "
            f"{folder}"
        )
    chosen = _Chosen(folder, recipe.duplicates)
    manifest = write_shards(
        folder,
        (_row(clip, motion, recipe) for clip, motion in chosen),
        origin={"kind": "built", "command": command, "recipe": recipe.model_dump(mode="json")},
        shard_clips=recipe.shard_clips,
        progress=written,
    )
    with written_aside(folder / DUPLICATES) as aside:
        aside.write_text("".join(json.dumps(each) + "\n" for each in chosen.left_out))
    return Built(summary, manifest, len(chosen.left_out), later_takes(folder), later_windows(folder), agreement(folder))


def built_rows(folder: Path, recipe: CorpusRecipe) -> Iterator[Row]:
    """The clips of a build as its shards hold them, in their order.

    Raises:
        FileProblem: no corpus is being built there.
    """
    return (_row(clip, motion, recipe) for clip, motion in _Chosen(folder, recipe.duplicates))


def later_takes(folder: Path) -> int:
    """How many clips were made again of prompts whose clips had been rejected.

    Raises:
        FileProblem: no corpus is being built there.
    """
    # Recordings are called what people call them.
    prompted = any(stage.name == "video" for stage in status(folder).stages)
    return sum(take_of(clip_id)[1] > 1 for clip_id, _ in fates(folder)) if prompted else 0


def later_windows(folder: Path) -> int:
    """How many clips there are of recordings beside their first.

    Raises:
        FileProblem: no corpus is being built there.
    """
    return sum(WINDOW_ID.search(clip_id) is not None for clip_id, _ in told(folder, "cut"))


def agreement(folder: Path) -> dict[EventKind, Recall]:
    """How many events scripts asked for, and how many of them the reader found, by kind, in all clips tracked.

    First takes count, of each script one: later ones are of scripts that failed.

    Raises:
        FileProblem: no corpus is being built there.
    """
    kinds: dict[EventKind, Recall] = {}
    for clip_id, facts in told(folder, "quality"):
        if take_of(clip_id)[1] == 1:
            for kind, each in facts.get("events", {}).items():
                kinds[kind] = kinds.get(kind, Recall(0, 0)) + Recall(**each)
    return kinds


def stages_of(recipe: CorpusRecipe, folder: Path) -> list[Stage]:
    """What every clip goes through. Answers of models are kept under the folder.

    Raises:
        InvalidConfig, UnknownName: the generator's settings make no sense.
    """
    stages: list[Any] = []
    if recipe.video is not None:
        polish = recipe.polish
        cache = (folder / "answers").absolute()
        stages.append(
            PolishStage(
                polish.url, polish.model, polish.key_variable, cache, polish.seed, polish.timeout, polish.paraphrases
            )
        )
        name = recipe.video.get("name")
        desk = (folder / "jobs").absolute() if name == "google" else None
        stages.append(VideoStage(open_backend(recipe.video), desk, gpus=1.0 if name == "diffusion" else 0.0))
    if recipe.recordings is not None and recipe.recordings.cut:
        stages.append(CutStage(_absolute(recipe.track.landmarker)))
    track = recipe.track
    if track.results is not None:
        stages.append(ImportStage(track.results.absolute(), _absolute(track.flame), track.fps, _absolute(track.poses)))
    else:
        stages.append(TrackStage(_absolute(track.landmarker)))
    if recipe.recordings is not None:
        stages.append(CaptionStage(recipe.caption, (folder / "captions").absolute()))
    stages.append(QualityStage(recipe.quality))
    return [_with_resources(stage, recipe) for stage in stages]


def jobs_of(recipe: CorpusRecipe, due: Due = Due()) -> Iterator[Job]:
    """The clips that a recipe asks for, always in the same order.

    Args:
        recipe: what is asked for.
        due: further takes and windows; each follows the one before.

    Raises:
        FileProblem, InvalidInput: the recordings cannot be listed, or the persons make no sense.
    """
    if recipe.prompts is not None:
        asked = recipe.prompts
        for prompt in suite(asked.clips, asked.seed, asked.persons):
            for number in range(1, due.takes.get(prompt.clip_id, 1) + 1):
                again = take(prompt, number)
                yield Job(again.clip_id, {PROMPTS: again.model_dump(mode="json")}, {})
    if recipe.recordings is not None:
        for recording in list_recordings(recipe.recordings.source, recipe.recordings.layout).recordings:
            job = recording.job()
            # A file that was replaced is another clip.
            content = {**job.facts[RECORDINGS], "sha256": sha256(recording.path)}
            files = {name: path.absolute() for name, path in job.files.items()}
            first = Job(job.clip_id, {RECORDINGS: content}, files)
            yield first
            further = due.windows.get(job.clip_id, ())
            most = len(further) if recipe.recordings.windows is None else recipe.recordings.windows - 1
            for number, window in enumerate(further[:most], start=2):
                yield window_job(first, window, number)


def _due(recipe: CorpusRecipe, folder: Path) -> Due:
    if not (folder / LEDGER).exists():
        return Due()
    if recipe.prompts is not None:
        return Due(takes=takes_due(fates(folder), recipe.prompts.takes))
    return Due(windows=further_windows(told(folder, "cut")))


class _Chosen:
    """Finished clips with their motions, those that repeat another left out."""

    def __init__(self, folder: Path, threshold: float | None) -> None:
        self._folder = folder
        self._kept = None if threshold is None else Kept(threshold)
        self.left_out: list[dict[str, Any]] = []

    def __iter__(self) -> Iterator[tuple[FinishedClip, FaceMotion]]:
        names: list[str] = []
        for clip in finished(self._folder):
            motion = load(clip.files["motion"])
            names.append(clip.clip_id)
            repeated = None if self._kept is None else self._kept.offer(signature(motion))
            if repeated is not None:
                kept = names[repeated.kept]
                self.left_out.append(
                    {"clip_id": clip.clip_id, "repeats": kept, "likeness": round(repeated.likeness, 4)}
                )
                continue
            yield clip, motion


def _row(clip: FinishedClip, motion: FaceMotion, recipe: CorpusRecipe) -> Row:
    facts, video = clip.facts, clip.files.get("video")
    prompt = prompt_of(facts)
    row = Row(
        clip_id=clip.clip_id,
        motion=motion,
        source=_source(recipe),
        events=read(motion),
        native_fps=facts.get("video", {}).get("fps"),
        video_sha256=None if video is None else sha256(video),
        quality=facts["quality"],
        provenance={name: _without_further(facts[name]) for name in ("video", "cut", "track") if name in facts},
    )
    if prompt is not None:
        words = [prompt.face, *(each.text for each in prompt.paraphrases)]
        return replace(
            row,
            texts=tuple(Text(_detail(each), each) for each in words) + said(prompt.script, prompt.seed),
            script=prompt.script,
            # Two clips of a generator that were asked for the same person show two people.
            person=prompt.person if "truth" in clip.files else None,
            family=prompt.family,
            seed=prompt.seed,
        )
    caption, recording = facts["caption"], facts[RECORDINGS]
    words = list(dict.fromkeys([caption["text"], *caption.get("more", ())]))
    return replace(
        row,
        texts=tuple(Text(_detail(each), each) for each in words),
        person=person_in(facts),
        subject=caption.get("subject") or None,
        descriptors=tuple(caption.get("descriptors", ())),
        head=tuple(caption.get("head", ())),
        provenance={**(row.provenance or {}), RECORDINGS: recording},
    )


def _without_further(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name != FURTHER}


def _source(recipe: CorpusRecipe) -> str:
    if recipe.video is None:
        return "recorded"
    name, model = recipe.video["name"], recipe.video.get("model") or recipe.video.get("preset")
    return f"{name}:{model}" if model else str(name)


def _detail(text: str) -> Detail:
    words = len(text.split())
    return "short" if words < _SHORT else "medium" if words < _LONG else "long"


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()


def _with_resources(stage: Any, recipe: CorpusRecipe) -> Stage:
    asked = recipe.resources.get(stage.name)
    changed: Stage = stage if asked is None else replace(stage, **asked.model_dump(exclude_none=True))
    return changed
