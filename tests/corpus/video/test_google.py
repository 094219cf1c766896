"""Veo and Gemini against a fake of both: begun once, resumed, retried, refused, and honest about what went wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_google import PAGE, FakeGoogle, refusal, serving
from video_clips import prompt, small_video

from tdmm.corpus.video.backend import Declined, GeneratorProblem, VideoFile, open_backend
from tdmm.corpus.video.google import Google
from tdmm.errors import FileProblem, InvalidConfig, InvalidVideo, MissingDependency

ROUTES = ("veo", "gemini")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGoogle]:
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VEO_KEY", "secret-key")
    with serving() as server:
        server.video = small_video(tmp_path / "sample.mp4")
        yield server


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def backend(fake: FakeGoogle, route: str = "veo", **others: Any) -> Google:
    settings = {
        "name": "google", "route": route, "model": "model-1", "api_key_env": "VEO_KEY", "base_url": fake.url,
        "poll_seconds": 0, "attempts": 3, "first_wait": 0.01,
    }  # fmt: skip
    made = open_backend({**settings, **others})
    assert isinstance(made, Google)
    return made


@pytest.mark.parametrize("route", ROUTES)
def test_clips_are_asked_for_together_and_fetched(fake: FakeGoogle, out: Path, route: str) -> None:
    fake.polls_needed = 2
    made = backend(fake, route).make([prompt("a", seed=5, seconds=4.5), prompt("b", seed=2**40 + 6)], out)
    assert [(clip.clip_id, clip.path.read_bytes() == fake.video) for clip in made] == [("a", True), ("b", True)]
    assert fake.jobs == 2
    assert len(fake.polled) == 6
    assert fake.keys == {"secret-key"}
    told = json.loads(json.dumps(made[0].provenance))
    assert (told["model"], told["seed"], told["seconds"], told["submissions"]) == ("model-1", 5, 6, 1)
    assert told["versions"]["google-genai"]
    assert "secret" not in json.dumps(told) + "".join(path.read_text() for path in out.glob("*.json"))


def test_what_veo_is_asked(fake: FakeGoogle, out: Path) -> None:
    backend(fake, negative="blurry").make([prompt(seed=5, seconds=9.0)], out)
    (asked,) = fake.submitted
    assert asked["path"].endswith("/models/model-1:predictLongRunning")
    assert asked["instances"][0]["prompt"] == backend(fake).words(prompt())
    wanted = {
        "durationSeconds": 8, "seed": 5, "negativePrompt": "blurry", "aspectRatio": "16:9", "resolution": "720p",
        "sampleCount": 1, "personGeneration": "allow_adult", "generateAudio": False,
    }  # fmt: skip
    assert asked["parameters"] == wanted


def test_what_gemini_is_asked(fake: FakeGoogle, out: Path) -> None:
    backend(fake, "gemini").make([prompt(seed=5, seconds=2.0)], out)
    (asked,) = fake.submitted
    assert (asked["model"], asked["background"]) == ("model-1", True)
    assert asked["response_format"]["duration"] == "4s"
    assert asked["generation_config"]["seed"] == 5


@pytest.mark.parametrize("route", ROUTES)
def test_after_a_crash_a_job_is_fetched_and_not_paid_for_twice(fake: FakeGoogle, out: Path, route: str) -> None:
    fake.polls_needed = 10**6
    script = """
        import os, sys
        sys.path[:0] = [{here!r}]
        from pathlib import Path
        from unittest import mock
        from video_clips import prompt
        from tdmm.corpus.video.backend import open_backend
        backend = open_backend({settings!r})
        with mock.patch("time.sleep", side_effect=lambda _: os._exit(9)):
            backend.make([prompt("a"), prompt("b")], Path({out!r}))
    """
    settings = {
        "name": "google", "route": route, "model": "model-1", "api_key_env": "VEO_KEY", "base_url": fake.url,
    }  # fmt: skip
    code = textwrap.dedent(script).format(here=str(Path(__file__).parent), settings=settings, out=str(out))
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False).returncode == 9
    assert fake.jobs == 2
    assert sorted(path.name for path in out.iterdir()) == ["a.job.json", "b.job.json"]
    fake.polls_needed = 0
    made = backend(fake, route).make([prompt("a"), prompt("b"), prompt("c")], out)
    assert all(isinstance(clip, VideoFile) for clip in made)
    assert fake.jobs == 3  # c alone was new
    polled = len(fake.polled)
    assert backend(fake, route).make([prompt("b")], out)[0].path.read_bytes() == fake.video
    assert (fake.jobs, len(fake.polled)) == (3, polled)  # what is there is not even asked for


def test_another_request_is_another_job(fake: FakeGoogle, out: Path) -> None:
    backend(fake).make([prompt(seed=1)], out)
    backend(fake).make([prompt(seed=2)], out)
    backend(fake, patience=60).make([prompt(seed=2)], out)
    assert fake.jobs == 2


def test_a_crash_between_request_and_answer_is_told(fake: FakeGoogle, out: Path) -> None:
    fake.submit_answers = [(200, PAGE)]
    with pytest.raises(GeneratorProblem):
        backend(fake).make([prompt()], out)
    (clip,) = backend(fake).make([prompt()], out)
    assert clip.provenance["submissions"] == 2


def test_patience_ends_and_the_job_stays(fake: FakeGoogle, out: Path) -> None:
    fake.polls_needed = 10**6
    with pytest.raises(GeneratorProblem, match=r"1 of 1 clips.*goes on waiting"):
        backend(fake, patience=0.05, poll_seconds=0.01).make([prompt()], out)
    fake.polls_needed = 0
    backend(fake).make([prompt()], out)
    assert fake.jobs == 1


@pytest.mark.parametrize("route", ROUTES)
def test_a_busy_or_broken_server_is_asked_again(fake: FakeGoogle, out: Path, route: str) -> None:
    fake.submit_answers = [refusal(429, "slow down"), refusal(503, "overloaded")]
    fake.poll_answers = [refusal(500, "oops"), refusal(429, "slow down")]
    (clip,) = backend(fake, route).make([prompt()], out)
    assert isinstance(clip, VideoFile)
    assert fake.jobs == 1


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(429, "Quota exceeded for requests per day"), r"status 429: Quota exceeded.*3 times in a row"),
        (refusal(503, "overloaded"), r"status 503.*broken or overloaded, 3 times in a row.*resumed"),
        (refusal(401, "bad credentials"), r"status 401.*Check the key in VEO_KEY"),
        (refusal(403, "permission denied on resource"), r"status 403.*Check the key in VEO_KEY"),
        (refusal(400, "API key not valid. Please pass a valid API key."), r"Check the key in VEO_KEY"),
        (refusal(404, "model is not found"), r"status 404.*Check `model`"),
        (refusal(400, "durationSeconds 5 is out of range"), r"status 400: durationSeconds.*Check the video settings"),
        ((200, PAGE), r"answers, but with a web page.*`base_url`"),
        ((404, PAGE), r"answers, but with a web page.*\(status 404\)"),
    ],
)
def test_what_ails_the_endpoint_is_said(fake: FakeGoogle, out: Path, route: str, answer: Any, words: str) -> None:
    fake.submit_answers = [answer] * 3
    with pytest.raises(GeneratorProblem, match=words) as caught:
        backend(fake, route).make([prompt()], out)
    assert "secret-key" not in str(caught.value)


@pytest.mark.parametrize("route", ROUTES)
def test_nobody_at_the_address(fake: FakeGoogle, out: Path, route: str) -> None:
    with pytest.raises(GeneratorProblem, match=r"127\.0\.0\.1:9 cannot be reached"):
        backend(fake, route, base_url="http://127.0.0.1:9").make([prompt()], out)


def test_refused_clips_are_declined_for_good(fake: FakeGoogle, out: Path) -> None:
    fake.endings = {
        "filtered": {"response": {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["a person; code 15236754"]}},
        "failing": {"error": {"code": 3, "message": "The prompt violates our rules."}},
    }
    asked = [
        prompt("a").model_copy(update={"face": "filtered"}), prompt("b"),
        prompt("c").model_copy(update={"face": "failing"}),
    ]  # fmt: skip
    for _ in range(2):
        first, second, third = backend(fake).make(asked, out)
        assert first == Declined("a", "filtered by Google's rules (a person; code 15236754)")
        assert isinstance(second, VideoFile)
        assert third == Declined("c", "operation failed with code 3: The prompt violates our rules.")
    assert fake.jobs == 3  # what was declined is not asked for again


@pytest.mark.parametrize("route", ROUTES)
def test_a_prompt_that_is_turned_down_at_once_is_declined(fake: FakeGoogle, out: Path, route: str) -> None:
    words = "The prompt could not be submitted: it contains sensitive words that violate Responsible AI practices."
    fake.submit_answers = [refusal(400, words)]
    first, second = backend(fake, route).make([prompt("a"), prompt("b")], out)
    assert isinstance(first, Declined)
    assert "sensitive words" in first.reason
    assert isinstance(second, VideoFile)


def test_gemini_declines_in_words_or_fails(fake: FakeGoogle, out: Path) -> None:
    said = [{"type": "model_output", "content": [{"type": "text", "text": "I cannot show this person."}]}]
    fake.endings = {
        "declined": {"status": "completed", "steps": said},
        "failing": {"status": "failed", "errors": [{"code": "internal", "message": "backend crashed"}], "steps": []},
    }
    (first,) = backend(fake, "gemini").make([prompt("a").model_copy(update={"face": "declined"})], out)
    assert first == Declined("a", "interaction completed: I cannot show this person.")
    with pytest.raises(InvalidVideo, match=r"b \(interaction failed: backend crashed\)"):
        backend(fake, "gemini").make([prompt("b").model_copy(update={"face": "failing"})], out)


def test_gemini_may_give_an_address_in_place_of_the_video(fake: FakeGoogle, out: Path) -> None:
    where = {"type": "video", "uri": "https://generativelanguage.googleapis.com/v1/files/abc:download?alt=media"}
    fake.endings = {"woman": {"steps": [{"type": "model_output", "content": [where]}]}}
    (clip,) = backend(fake, "gemini").make([prompt()], out)
    assert clip.path.read_bytes() == fake.video


@pytest.mark.parametrize("ending", [{"error": {"code": 13, "message": "internal"}}, {"response": {}}])
def test_a_job_lost_by_google_is_asked_for_anew(fake: FakeGoogle, out: Path, ending: dict[str, Any]) -> None:
    fake.endings = {"woman": ending}
    with pytest.raises(InvalidVideo, match=r"no video for clip-1 \("):
        backend(fake).make([prompt()], out)
    fake.endings = {}
    (clip,) = backend(fake).make([prompt()], out)
    assert isinstance(clip, VideoFile)
    assert fake.jobs == 2


def test_a_broken_video_is_asked_for_anew(fake: FakeGoogle, out: Path) -> None:
    whole, fake.video = fake.video, fake.video[:300]
    with pytest.raises(InvalidVideo, match="clip-1"):
        backend(fake).make([prompt()], out)
    assert list(out.iterdir()) == []
    fake.video = whole
    assert backend(fake).make([prompt()], out)[0].path.read_bytes() == whole


def test_a_note_that_cannot_be_read_is_not_paid_for_again(fake: FakeGoogle, out: Path) -> None:
    (out / "clip-1.job.json").write_text("{")
    with pytest.raises(FileProblem, match=r"paid for; delete it to ask again"):
        backend(fake).make([prompt()], out)
    assert fake.jobs == 0


def test_a_folder_that_cannot_be_written_costs_nothing(fake: FakeGoogle, out: Path) -> None:
    with pytest.raises(FileProblem, match="does not exist"):
        backend(fake).make([prompt()], out / "nowhere")
    assert fake.jobs == 0


@pytest.mark.parametrize("route", ROUTES)
def test_without_a_key_nothing_is_asked(
    fake: FakeGoogle, out: Path, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VEO_KEY")
    with pytest.raises(GeneratorProblem, match="no API key in the environment variable VEO_KEY"):
        backend(fake, route).make([prompt()], out)
    assert fake.keys == set()


def test_without_the_package_the_message_names_the_extra(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.genai", None)
    with pytest.raises(MissingDependency, match=r"tdmm\[api\]"):
        open_backend({"name": "google", "route": "veo", "model": "m"}).make([prompt()], out)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"route": "veo"}, "model: Field required"),
        ({"route": "vertex", "model": "m"}, "'veo' or 'gemini'"),
        ({"route": "gemini", "model": "m", "negative": "x"}, "no negative prompt"),
        ({"route": "veo", "model": "m", "project": "p"}, "given together"),
        ({"route": "veo", "model": "m", "api_key": "abc"}, "'api_key' is unknown. Did you mean 'api_key_env'"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidConfig, match=words):
        open_backend({"name": "google", **settings})
