from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent / "tracking"))

from cut_stages import ToldCutStage
from faces import SIZE
from recordings import record

from tdmm.acting.actor import perform
from tdmm.acting.script import Event, Script
from tdmm.corpus import build as building
from tdmm.corpus.build import DUPLICATES, build, jobs_of, stages_of
from tdmm.corpus.costs import plan
from tdmm.corpus.pipeline.runner import BuildOptions
from tdmm.corpus.pipeline.status import fates, status
from tdmm.corpus.quality.rules import Rules
from tdmm.corpus.recipe import CorpusRecipe, Prompts, read
from tdmm.corpus.shards import pack, verify
from tdmm.corpus.shards import read as read_shards
from tdmm.corpus.stages.captions import CaptionStage
from tdmm.corpus.stages.quality import QualityStage
from tdmm.corpus.stages.tracking import ImportStage
from tdmm.errors import InvalidConfig, InvalidInput, TdmmError
from tdmm.motion.files import write_npz

ONE = BuildOptions(workers=1)
ANY = Rules(least_seconds=0.2, least_face_pixels=None, least_agreement=None, most_jitter_mm=None)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def smile(strength: float, side: str = "both") -> Script:
    event = Event(descriptor="smile", intensity=strength, side=side, onset=0.1, apex=0.4, offset=0.7, end=0.9)  # type: ignore[arg-type]
    return Script(seconds=1.0, events=(event,))


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three recordings with another tracker's results; the third repeats the first, a fourth has no results."""
    folder = tmp_path_factory.mktemp("takes")
    (folder / "videos").mkdir()
    (folder / "results").mkdir()
    scripts = {"a": smile(0.9), "b": Script(seconds=1.0), "c": smile(0.9), "d": None}
    brow = Event(descriptor="frown", intensity=0.9, onset=0.1, apex=0.4, offset=0.7, end=0.9)
    scripts["b"] = Script(seconds=1.0, events=(brow,))
    for number, (name, script) in enumerate(scripts.items()):
        picture = np.full((48, 64, 3), 40 * number, np.uint8)
        record(folder / "videos" / f"{name}.mp4", [picture] * 25)
        if script is not None:
            write_npz(perform(script, 1).motion, folder / "results" / f"{name}.npz")
    return folder


def recipe_of(takes: Path) -> CorpusRecipe:
    content = {
        "recordings": {"source": str(takes / "videos"), "cut": False},
        "track": {"results": str(takes / "results")},
        "quality": ANY.model_dump(),
    }
    return CorpusRecipe.model_validate(content)


@pytest.fixture(scope="module")
def built(takes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "corpus"
    outcome = build(recipe_of(takes), folder, ONE)
    assert outcome.manifest is not None
    assert (outcome.summary.finished, outcome.duplicates, outcome.recalls) == (3, 1, {})
    return folder


def test_recordings_become_a_corpus_that_can_be_trained_on(built: Path) -> None:
    verify(built)
    clips = {clip.clip_id: clip for split in ("train", "validation", "test") for clip in read_shards(built, split)}
    assert set(clips) == {"a", "b"}
    assert "smile" in clips["a"].text(clips["a"].texts[0].detail).lower()
    assert {action.action for action in clips["b"].events.actions} >= {"brow_lowerer"}
    frames = sum(len(pack(built, split).features) for split in ("train", "validation", "test"))
    assert frames == 50


def test_what_repeats_another_and_what_was_rejected_is_told(built: Path) -> None:
    (repeated,) = [json.loads(line) for line in (built / DUPLICATES).read_text().splitlines()]
    assert (repeated["clip_id"], repeated["repeats"]) == ("c", "a")
    assert status(built).rejections == {("track", "not-tracked"): 1}


def test_the_same_again_does_nothing_and_another_recipe_says_what_it_would(takes: Path, built: Path) -> None:
    before = (built / "manifest.json").read_bytes()
    stamps = {path: path.stat().st_mtime_ns for path in (built / "store").rglob("*.npz")}
    build(recipe_of(takes), built, ONE)
    assert (built / "manifest.json").read_bytes() == before
    assert {path: path.stat().st_mtime_ns for path in (built / "store").rglob("*.npz")} == stamps
    stricter = recipe_of(takes).model_copy(update={"quality": ANY.model_copy(update={"least_seconds": 9.0})})
    with pytest.raises(InvalidInput, match="quality"):
        build(stricter, built, ONE)
    with pytest.raises(TdmmError, match=r"none of 4 clips.*short 3"):
        build(stricter, built, BuildOptions(workers=1, redo=True))
    assert (built / "manifest.json").read_bytes() == before


def test_a_pilot_tells_what_more_would_take(takes: Path, built: Path) -> None:
    build(recipe_of(takes), built, BuildOptions(workers=1, redo=True))
    cost = plan(recipe_of(takes), 4000, pilot=built, gpu_hour=2.0)
    counts = {stage.name: stage.clips for stage in cost.stages}
    assert counts == {"track": 4000, "caption": 3000, "quality": 3000}
    assert cost.kept == 3000
    assert (cost.gpu_hours, cost.money) == (0, 0)
    assert cost.gibibytes > 0
    with pytest.raises(InvalidInput, match="clips must be 1"):
        plan(recipe_of(takes), 0)


def test_a_replaced_file_is_another_clip(takes: Path) -> None:
    before = {job.clip_id: job.facts for job in jobs_of(recipe_of(takes))}
    video = takes / "videos" / "d.mp4"
    kept = video.read_bytes()
    try:
        record(video, [np.full((48, 64, 3), 200, np.uint8)] * 25)
        after = {job.clip_id: job.facts for job in jobs_of(recipe_of(takes))}
    finally:
        video.write_bytes(kept)
    assert {name for name in before if before[name] != after[name]} == {"d"}


PROMPTED = "prompts: {clips: 4, seed: 3}\nvideo: {name: rendered, width: 192, height: 144}\n"


def test_a_recipe_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match=r"prompts\.clip: Extra"):
        read(written(tmp_path / "a.yaml", "prompts: {clip: 4}\nvideo: {name: rendered}\n"))
    with pytest.raises(InvalidConfig, match="one of them"):
        read(written(tmp_path / "b.yaml", "name: nothing\n"))
    with pytest.raises(InvalidConfig, match="go together"):
        read(written(tmp_path / "c.yaml", "prompts: {clips: 4}\n"))
    with pytest.raises(InvalidConfig, match="`poses` go with `results`"):
        read(written(tmp_path / "g.yaml", "recordings: {source: .}\ntrack: {poses: heads}\n"))
    with pytest.raises(InvalidConfig, match=r"results` are of whole recordings: set `recordings\.cut: false"):
        read(written(tmp_path / "h.yaml", "recordings: {source: .}\ntrack: {results: found}\n"))
    with pytest.raises(InvalidConfig, match="`windows` are of recordings that are cut"):
        read(written(tmp_path / "i.yaml", "recordings: {source: ., cut: false, windows: 3}\n"))
    with pytest.raises(InvalidConfig, match="is not YAML"):
        read(written(tmp_path / "d.yaml", "prompts: [\n"))
    with pytest.raises(InvalidConfig, match="leave out --clips"):
        read(written(tmp_path / "e.yaml", "recordings: {source: .}\n"), clips=3)
    assert len(list(jobs_of(read(written(tmp_path / "f.yaml", PROMPTED), clips=2)))) == 2


def test_resources_change_how_and_not_what(tmp_path: Path) -> None:
    plain = read(written(tmp_path / "a.yaml", PROMPTED))
    wide = read(written(tmp_path / "b.yaml", PROMPTED + "resources: {video: {gpus: 1, batch: 4}}\n"))
    before, after = (stages_of(each, tmp_path)[1] for each in (plain, wide))
    assert (after.gpus, after.batch) == (1, 4)
    assert before.settings == after.settings


def test_what_was_rejected_is_made_again_of_the_same_prompt(tmp_path: Path) -> None:
    """The first clip comes right at once, the second at its third take, the last never."""
    results = tmp_path / "results"
    results.mkdir()
    for number, name in enumerate(("0000000", "0000001-take-3")):
        write_npz(perform(smile(0.5 + 0.4 * number), number).motion, results / f"prompt-3-{name}.npz")
    text = f"""
        prompts: {{clips: 3, seed: 3, takes: 3}}
        video: {{name: rendered, width: 64, height: 64}}
        track: {{results: {results}}}
    """
    recipe = read(written(tmp_path / "a.yaml", text)).model_copy(update={"quality": ANY, "duplicates": None})
    folder = tmp_path / "corpus"
    outcome = build(recipe, folder, ONE)
    assert (outcome.summary.clips, outcome.summary.finished, outcome.again) == (7, 2, 4)
    splits = ("train", "validation", "test", "unused")
    assert {clip.clip_id for split in splits for clip in read_shards(folder, split)} == {
        "prompt-3-0000000", "prompt-3-0000001-take-3"
    }  # fmt: skip
    assert outcome.recalls["action"].asked > 0
    assert plan(recipe, 3000, pilot=folder).kept == 2000
    # Nothing is left to do. Another recipe begins with first takes, and one that comes right now needs no other.
    before = (folder / "manifest.json").read_bytes()
    build(recipe, folder, ONE)
    assert (folder / "manifest.json").read_bytes() == before
    write_npz(perform(smile(0.7), 5).motion, results / "prompt-3-0000001.npz")
    moved = results.rename(tmp_path / "moved")
    track = recipe.track.model_copy(update={"results": moved})
    build(recipe.model_copy(update={"track": track}), folder, BuildOptions(workers=1, redo=True))
    assert {clip.clip_id for split in splits for clip in read_shards(folder, split)} == {
        "prompt-3-0000000", "prompt-3-0000001"
    }  # fmt: skip
    assert {clip for clip, _ in fates(folder)} == {
        "prompt-3-0000000", "prompt-3-0000001", *(f"prompt-3-0000002{take}" for take in ("", "-take-2", "-take-3"))
    }  # fmt: skip
    fewer = recipe.model_copy(update={"track": track, "prompts": Prompts(clips=3, seed=3, takes=2)})
    with pytest.raises(InvalidInput, match="no longer asked for"):
        build(fewer, folder, ONE)


def test_recordings_called_takes_are_clips_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "results").mkdir()
    for number in (1, 2):
        picture = np.full((48, 64, 3), 40 * number, np.uint8)
        record(tmp_path / "videos" / f"smile-take-{number}.mp4", [picture] * 25)
        script = smile(0.9, "left" if number == 1 else "right")
        write_npz(perform(script, number).motion, tmp_path / "results" / f"smile-take-{number}.npz")
    outcome = build(recipe_of(tmp_path), tmp_path / "corpus", ONE)
    assert (outcome.summary.finished, outcome.duplicates, outcome.again) == (2, 0, 0)


def test_a_long_recording_gives_a_clip_of_each_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("videos", "results"):
        (tmp_path / name).mkdir()
    for name, pictures in (("long", 75), ("short", 20)):
        record(tmp_path / "videos" / f"{name}.mp4", [np.full((SIZE[1], SIZE[0], 3), 40, np.uint8)] * pictures)
    for number, name in enumerate(("long", "long_2", "long_3", "short")):
        write_npz(perform(smile(0.4 + 0.1 * number), number).motion, tmp_path / "results" / f"{name}.npz")
    content = {"recordings": {"source": str(tmp_path / "videos")}, "quality": ANY.model_dump(), "duplicates": None}
    recipe, log = CorpusRecipe.model_validate(content), tmp_path / "looks"

    def stages(recipe: CorpusRecipe, folder: Path) -> list[Any]:
        others = [ImportStage(tmp_path / "results"), CaptionStage(), QualityStage(recipe.quality)]
        return [ToldCutStage(log=log, name="cut"), *others]

    monkeypatch.setattr(building, "stages_of", stages)
    folder = tmp_path / "corpus"
    outcome = build(recipe, folder, ONE)
    assert (outcome.summary.clips, outcome.summary.finished, outcome.windows) == (4, 4, 2)
    assert log.read_text().count("look") == 2, "each recording is looked at once"
    every = ("train", "validation", "test", "unused")
    clips = {clip.clip_id: clip for split in every for clip in read_shards(folder, split)}
    assert set(clips) == {"long", "long_2", "long_3", "short"}
    cuts = [clips[name].provenance["cut"] for name in ("long", "long_2", "long_3")]  # type: ignore[index]
    assert sorted(round(each["start"], 1) for each in cuts) == [0.0, 1.0, 2.0]
    assert not any("further" in each for each in cuts)
    # One person is never on both sides of a split.
    splits = {split: {clip.person for clip in read_shards(folder, split)} for split in every}
    assert sum("long" in people for people in splits.values()) == 1
    # The same again does nothing; a recipe that wants fewer says so.
    before = (folder / "manifest.json").read_bytes()
    build(recipe, folder, ONE)
    assert (folder / "manifest.json").read_bytes() == before
    assert recipe.recordings is not None
    two = recipe.model_copy(update={"recordings": recipe.recordings.model_copy(update={"windows": 2})})
    with pytest.raises(InvalidInput, match="no longer asked for"):
        build(two, folder, ONE)
    assert build(two, folder, BuildOptions(workers=1, redo=True)).windows == 1
    assert log.read_text().count("look") == 2


@pytest.mark.slow
def test_prompts_become_a_corpus(tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mediapipe")
    landmarker = shared_data / "mediapipe_task" / "face_landmarker.task"
    recipe = read(written(tmp_path / "a.yaml", PROMPTED), clips=1)
    recipe = recipe.model_copy(
        update={"track": recipe.track.model_copy(update={"landmarker": landmarker}), "quality": ANY}
    )
    script = smile(0.9)
    monkeypatch.setattr(
        building, "suite", lambda *asked: (each.model_copy(update={"script": script}) for each in _suite(*asked))
    )
    outcome = build(recipe, tmp_path / "corpus", ONE)
    assert outcome.manifest is not None
    assert outcome.recalls["action"].found == outcome.recalls["action"].asked > 0
    (clip,) = [
        clip for split in ("train", "unused", "validation", "test") for clip in read_shards(tmp_path / "corpus", split)
    ]
    assert clip.script == script
    assert any(action.action == "lip_corner_puller" for action in clip.events.actions)
    assert {text.detail for text in clip.texts} == {"short", "medium", "long"}


_suite = building.suite
