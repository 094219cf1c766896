from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tracking"))

from faces import FOCAL, SIZE, Told, seen
from recordings import record

from fake_endpoint import refuses, says, serving
from tdmm.acting.actor import perform
from tdmm.acting.endpoint import EndpointProblem
from tdmm.acting.script import Event, Script
from tdmm.corpus.captions.annotator import AnnotatorOptions
from tdmm.corpus.pipeline.stage import Done, Job, Rejected
from tdmm.corpus.prompts.prompt import ClipPrompt, Scene
from tdmm.corpus.quality.rules import Rules
from tdmm.corpus.recordings.cutting import CutOptions
from tdmm.corpus.recordings.recording import Recording
from tdmm.corpus.stages.captions import CaptionStage
from tdmm.corpus.stages.cutting import FURTHER, CutStage, CutWorker, further_windows, person_in, window_job
from tdmm.corpus.stages.quality import QualityStage
from tdmm.corpus.stages.tracking import ImportStage, TrackStage, TrackWorker
from tdmm.corpus.stages.video import VideoStage
from tdmm.corpus.tracking.sighting import FaceTracker
from tdmm.corpus.tracking.track import TrackOptions
from tdmm.corpus.video.backend import Declined, VideoFile
from tdmm.errors import FileProblem
from tdmm.export.formats import ExportOptions
from tdmm.export.video import write_mp4
from tdmm.motion.files import load, write_npz

SMILE = Script(seconds=1.6, events=(Event(descriptor="smile", intensity=1, onset=0.2, apex=0.5, offset=1.1, end=1.4),))


GAPE = Script(seconds=1.0, events=(Event(descriptor="gape", intensity=1, onset=0.1, apex=0.3, offset=0.6, end=0.9),))


def prompt(clip_id: str = "c-1", script: Script = SMILE) -> ClipPrompt:
    scene = Scene(framing="steady", lighting="soft", background="grey")
    return ClipPrompt(
        clip_id=clip_id, script=script, face="a woman smiles", scene=scene, family="smile", person="p", seed=3
    )


def asked(files: dict[str, Path], **facts: Any) -> Job:
    return Job("c-1", {"prompts": prompt().model_dump(mode="json"), **facts}, files)


@dataclass(frozen=True)
class Backend:
    """Declines every clip but the first."""

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"model": "fake"}

    def words(self, prompt: ClipPrompt) -> str:
        return prompt.face

    def make(self, prompts: Sequence[ClipPrompt], folder: Path) -> list[VideoFile | Declined]:
        first = VideoFile(prompts[0].clip_id, folder / "x.mp4", 24.0, 97, 64, 48, folder / "t.npz", {"seed": 3})
        return [first, *(Declined(each.clip_id, "a safety filter") for each in prompts[1:])]


def test_videos_are_made_or_declined(tmp_path: Path) -> None:
    jobs = [Job(name, {"prompts": prompt(name).model_dump(mode="json")}, {}) for name in ("a", "b")]
    made, declined = VideoStage(Backend(), batch=2).open().work(jobs, tmp_path)
    assert isinstance(made, Done)
    assert made.files == {"video": tmp_path / "x.mp4", "truth": tmp_path / "t.npz"}
    assert made.facts["provenance"] == {"seed": 3}
    assert declined == Rejected("declined", "a safety filter")


@pytest.mark.parametrize(
    "stage",
    [
        VideoStage(Backend()), TrackStage(), ImportStage(Path("results")), QualityStage(Rules(most_jitter_mm=1)),
        CaptionStage(AnnotatorOptions(kind="openai", model="m", url="http://localhost:1/v1"), Path("cache")),
        CutStage(options=CutOptions(shortest=3)),
    ],
)  # fmt: skip
def test_stages_travel_and_their_settings_are_json(stage: Any) -> None:
    again = pickle.loads(pickle.dumps(stage))
    assert again == stage
    assert json.loads(json.dumps(dict(again.settings)))
    assert (again.name, again.cpus > 0, again.gpus >= 0, again.batch >= 1) == (stage.name, True, True, True)


def test_a_rendered_face_is_tracked_and_judged(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    video = tmp_path / "c-1.mp4"
    write_mp4(perform(GAPE, 3).motion, video, ExportOptions(size=192))
    task = shared_data / "mediapipe_task" / "face_landmarker.task"
    facts = {"prompts": prompt(script=GAPE).model_dump(mode="json")}
    (tracked,) = TrackStage(task).open().work([Job("c-1", facts, {"video": video})], tmp_path)
    assert isinstance(tracked, Done)
    json.dumps(tracked.facts)
    assert tracked.facts["found"] == tracked.facts["pictures"] == 25
    assert load(tracked.files["motion"]).fps == 25
    job = Job("c-1", {**facts, "track": tracked.facts}, tracked.files)
    (good,) = QualityStage(Rules(least_seconds=1, least_face_pixels=60)).open().work([job], tmp_path)
    assert isinstance(good, Done), good
    assert good.facts["agreement"] == 1.0
    (short,) = QualityStage(Rules(least_face_pixels=400)).open().work([job], tmp_path)
    assert isinstance(short, Rejected)
    assert short.rule == "short"
    assert "length 1 s, at least 2 s; size of the face" in short.reason
    assert short.facts["seconds"] == pytest.approx(1.0)


def still(path: Path, pictures: int = 12) -> Path:
    return record(path, [np.full((SIZE[1], SIZE[0], 3), 40, np.uint8)] * pictures)


def test_videos_that_cannot_be_tracked_are_rejected_and_not_raised(tmp_path: Path) -> None:
    (tmp_path / "torn.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42 and no more")
    worker = TrackWorker(lambda: Told(lambda _: []), TrackOptions(focal=FOCAL))
    jobs = [asked({"video": tmp_path / "torn.mp4"}), asked({"video": still(tmp_path / "still.mp4")})]
    torn, faceless = worker.work(jobs, tmp_path)
    assert isinstance(torn, Rejected)
    assert isinstance(faceless, Rejected)
    assert (torn.rule, faceless.rule) == ("unreadable", "no-face")


def test_results_of_others_take_the_place_of_tracking(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    job = asked({"video": still(tmp_path / "still.mp4")})
    worker = ImportStage(results).open()
    (missing,) = worker.work([job], tmp_path)
    assert isinstance(missing, Rejected)
    assert missing.rule == "not-tracked"
    write_npz(perform(SMILE, 3).motion, results / "c-1.npz")
    (found,) = worker.work([job], tmp_path)
    assert isinstance(found, Done)
    job = asked(dict(found.files), track=found.facts)
    (judged,) = QualityStage(Rules(least_seconds=1)).open().work([job], tmp_path)
    assert isinstance(judged, Done)
    assert judged.facts["residual_mm"] is None
    (results / "c-1.npz").unlink()
    np.savez(results / "c-1.npz", exp=np.zeros((4, 50)), pose=np.zeros((4, 6)), shape=np.zeros((4, 100)))
    with pytest.raises(FileProblem, match="Give your FLAME file"):
        worker.work([asked({"video": tmp_path / "still.mp4"})], tmp_path)


def test_heads_from_beside_the_results(tmp_path: Path) -> None:
    for name in ("results", "poses"):
        (tmp_path / name).mkdir()
    motion = perform(SMILE, 3).motion
    write_npz(motion, tmp_path / "results" / "c-1.npz")
    job = asked({"video": still(tmp_path / "still.mp4")})
    stage = ImportStage(tmp_path / "results", poses=tmp_path / "poses")
    assert stage.settings != ImportStage(tmp_path / "results").settings
    (missing,) = stage.open().work([job], tmp_path)
    assert isinstance(missing, Rejected)
    assert (missing.rule, "c-1.npy" in missing.reason) == ("not-tracked", True)
    np.save(tmp_path / "poses" / "c-1.npy", np.tile([0.0, 20.0, 0.0], (motion.frames, 1)))
    (found,) = stage.open().work([job], tmp_path)
    assert isinstance(found, Done)
    np.testing.assert_allclose(load(found.files["motion"]).head[:, 1], np.radians(-20.0), atol=1e-5)
    np.save(tmp_path / "poses" / "c-1.npy", np.zeros((1, 3)))
    (uneven,) = stage.open().work([job], tmp_path)
    assert isinstance(uneven, Rejected)
    assert uneven.rule == "unreadable"


def test_a_recording_is_cut_to_its_longest_window(tmp_path: Path) -> None:
    video = still(tmp_path / "in.mp4", 60)
    options = CutOptions(shortest=0.6, longest=1.0, smallest_face=30)

    def says_where(seconds: float) -> list[Any]:
        return [] if 0.9 < seconds < 1.1 else [seen()]

    folder = tmp_path / "out"
    folder.mkdir()
    job = Recording("c-1", video).job()
    (cut,) = CutWorker(lambda: Told(says_where), options).work([job], folder)
    assert isinstance(cut, Done)
    assert cut.files["video"] == folder / "c-1.mp4"
    assert cut.facts["end"] - cut.facts["start"] == pytest.approx(1.0, abs=0.05)
    (none,) = CutWorker(lambda: Told(lambda _: []), options).work([job], folder)
    assert isinstance(none, Rejected)
    assert (none.rule, none.facts["with_face"]) == ("no-window", 0)
    # The other window is cut as well, without another look.
    (further,) = further_windows([(job.clip_id, cut.facts)])[job.clip_id]
    other = window_job(job, json.loads(json.dumps(further)), 2)
    (second,) = CutWorker(blind, options).work([other], folder)
    assert isinstance(second, Done)
    assert second.files["video"] == folder / "c-1_2.mp4"
    assert second.facts["end"] <= 0.9 + 0.05 < cut.facts["start"]
    assert FURTHER not in second.facts


def blind() -> FaceTracker:
    raise AssertionError("this was looked at before")


def test_people_of_one_recording_are_told_apart() -> None:
    job = Recording("c-1", Path("talk.mp4"), person="anna").job()
    assert person_in({**job.facts, "cut": {"person": 1, "several": False}}) == "anna"
    assert person_in({**job.facts, "cut": {"person": 2, "several": True}}) == "anna-2"
    assert person_in(job.facts) == "anna", "it was not cut"


def test_words_come_from_the_prompt_the_given_or_the_motion(tmp_path: Path) -> None:
    worker = CaptionStage().open()
    motion = perform(SMILE, 3).motion
    write_npz(motion, tmp_path / "m.npz")
    given = Recording("c-1", tmp_path / "v.mp4", texts=("She smiles.", "A smile.")).job()
    read = Job("c-1", {}, {"motion": tmp_path / "m.npz"})
    results = worker.work([asked({}), given, read, Job("c-1", {}, {})], tmp_path)
    told, texts, found, nothing = results
    assert isinstance(told, Done)
    assert isinstance(texts, Done)
    assert isinstance(found, Done)
    assert isinstance(nothing, Rejected)
    assert told.facts["text"] == "a woman smiles"
    assert (texts.facts["text"], texts.facts["more"]) == ("She smiles.", ["A smile."])
    assert found.facts["source"] == "events"
    assert "smil" in found.facts["text"].lower()
    assert nothing.rule == "no-words"


def test_a_model_is_asked_about_recordings_and_may_decline(tmp_path: Path) -> None:
    video = still(tmp_path / "v.mp4")
    job = Recording("c-1", video, texts=("Given words.",)).job()
    with serving() as fake:
        options = AnnotatorOptions(kind="openai", model="m", url=fake.url)

        def ask(name: str) -> Done | Rejected:
            (found,) = CaptionStage(options, tmp_path / name).open().work([job], tmp_path)
            return found

        fake.replies = [
            says({"caption": "A man nods.", "subject": "a man", "expressions": [], "head_motions": ["nod"]})
        ]
        seen = ask("one")
        assert isinstance(seen, Done)
        assert (seen.facts["text"], seen.facts["source"], seen.facts["head"]) == ("A man nods.", "model", ["nod"])
        fake.replies = [says(None, refusal="no faces")]
        declined = ask("two")
        assert isinstance(declined, Done)
        assert declined.facts["text"] == "Given words."
        assert "no faces" in declined.facts["filtered"]
        fake.replies = [says("hm")]
        malformed = ask("three")
        assert isinstance(malformed, Rejected)
        assert malformed.rule == "caption-malformed"
        fake.replies = [refuses(401, "bad key")]
        with pytest.raises(EndpointProblem, match="valid key"):
            ask("four")
