"""Google's video models as a backend: jobs that are begun once, and resumed whatever crashes in between."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tdmm.corpus.prompts.prompt import ClipPrompt
from tdmm.corpus.video.backend import Declined, GeneratorProblem, VideoFile
from tdmm.corpus.video.encode import made_clip, versions
from tdmm.corpus.video.google_routes import GoogleSettings, Lost, Refused, Route, open_route
from tdmm.corpus.video.settings import strictly
from tdmm.errors import FileProblem, InvalidVideo
from tdmm.files import written_aside

_SEEDS = 2**31
"""Seeds are sent as 32-bit integers."""


class Job(BaseModel):
    """What is kept beside a clip, as `CLIP_ID.job.json`, from before it is asked for until it is there.

    Attributes:
        asked: SHA-256 of all that was asked for; another request is another job.
        id: that the server gave; None while the request was under way.
        submissions: how often it was asked for, once unless a crash fell between request and answer.
        declined: why it will never be made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: str
    id: str | None = None
    submissions: int = 1
    declined: str | None = None


@dataclass(frozen=True)
class _Request:
    """One clip on its way."""

    prompt: ClipPrompt
    words: str
    seconds: int
    asked: str
    folder: Path

    @property
    def seed(self) -> int:
        return self.prompt.seed % _SEEDS

    @property
    def video(self) -> Path:
        return self.folder / f"{self.prompt.clip_id}.mp4"

    @property
    def note(self) -> Path:
        return self.folder / f"{self.prompt.clip_id}.job.json"

    def job(self) -> Job | None:
        """What is known of it from before; None where it was never asked for, or something else was."""
        if not self.note.exists():
            return None
        try:
            job = Job.model_validate_json(self.note.read_bytes())
        except (OSError, ValidationError) as error:
            raise FileProblem(
                f"{self.note}: cannot be read ({error}). It names a job that is paid for; delete it to ask again."
            ) from error
        return job if job.asked == self.asked else None

    def keep(self, job: Job) -> Job:
        with written_aside(self.note) as aside:
            aside.write_text(job.model_dump_json(), encoding="utf-8")
        return job


class Google:
    """A `VideoBackend` on Veo or Gemini. All clips of a `make` are asked for first, and then waited for.

    A job's id lies in the folder before anybody waits for it: made again in the same folder, a clip that was asked
    for is fetched and not paid for twice.
    """

    def __init__(self, settings: GoogleSettings) -> None:
        self._settings = settings
        self._route: Route | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        """All that decides its clips besides their prompts."""
        return {"name": "google", **self._settings.deciding()}

    def words(self, prompt: ClipPrompt) -> str:
        """The prompt in the model's dialect."""
        return self._settings.words(prompt)

    def make(self, prompts: Sequence[ClipPrompt], folder: Path) -> list[VideoFile | Declined]:
        """Ask for clips, wait, and fetch them.

        Raises:
            MissingDependency: `google-genai` is not installed.
            GeneratorProblem: key, quota, model or endpoint is at fault, or the patience is at its end.
            InvalidVideo: a job failed on Google's side or brought a broken video; it is forgotten, to be asked anew.
            FileProblem: the folder cannot be written, or a job's note cannot be read.
        """
        route = self._opened()
        requests = [self._request(prompt, folder) for prompt in prompts]
        jobs = {request.prompt.clip_id: self._begun(route, request) for request in requests}
        lost = self._fetched(route, requests, jobs)
        if lost:
            raise InvalidVideo(f"Google brought no video for {'; '.join(lost)}. These clips have to be made again.")
        return [self._answer(request, jobs[request.prompt.clip_id]) for request in requests]

    def _opened(self) -> Route:
        if self._route is None:
            self._route = open_route(self._settings)
        return self._route

    def _request(self, prompt: ClipPrompt, folder: Path) -> _Request:
        words, seconds = self.words(prompt), self._settings.seconds(prompt.script.seconds)
        asked = json.dumps([self.settings, words, seconds, prompt.seed % _SEEDS], sort_keys=True)
        return _Request(prompt, words, seconds, hashlib.sha256(asked.encode()).hexdigest(), folder)

    def _begun(self, route: Route, request: _Request) -> Job:
        """A job that was begun before, or a new one."""
        known = request.job()
        if known is not None and (known.id is not None or known.declined is not None):
            return known
        # Kept before it is asked for: a folder that cannot be written, or a full disk, shows before it costs money.
        job = request.keep(Job(asked=request.asked, submissions=1 + (known.submissions if known else 0)))
        request.video.unlink(missing_ok=True)
        try:
            begun = {"id": route.submit(request.words, request.seed, request.seconds)}
        except Refused as refusal:
            begun = {"declined": str(refusal)}
        return request.keep(job.model_copy(update=begun))

    def _fetched(self, route: Route, requests: Sequence[_Request], jobs: dict[str, Job]) -> list[str]:
        """Wait until every job is done; what came to nothing is forgotten and named."""
        lost: list[str] = []
        until = time.monotonic() + self._settings.patience
        waiting = [each for each in requests if jobs[each.prompt.clip_id].declined is None and not each.video.exists()]
        while waiting:
            still: list[_Request] = []
            for request in waiting:
                clip_id = request.prompt.clip_id
                job = jobs[clip_id]
                try:
                    found = route.fetch(job.id or "")
                except Refused as refusal:
                    jobs[clip_id] = request.keep(job.model_copy(update={"declined": str(refusal)}))
                except Lost as loss:
                    request.note.unlink()
                    lost.append(f"{clip_id} ({loss})")
                else:
                    if found is None:
                        still.append(request)
                    else:
                        _write(found, request.video)
            waiting = still
            if waiting and time.monotonic() > until:
                raise GeneratorProblem(
                    f"{len(waiting)} of {len(requests)} clips are still being made after {self._settings.patience:g} "
                    "s. Their jobs are kept: the same command goes on waiting. Or raise `patience`."
                )
            if waiting:
                time.sleep(self._settings.poll_seconds)
        return lost

    def _answer(self, request: _Request, job: Job) -> VideoFile | Declined:
        if job.declined is not None:
            return Declined(request.prompt.clip_id, job.declined)
        provenance = {
            **self.settings,
            "words": request.words,
            "seconds": request.seconds,
            "seed": request.seed,
            "job": job.id,
            "submissions": job.submissions,
            "versions": versions("google-genai"),
        }
        try:
            return made_clip(request.prompt.clip_id, request.video, provenance)
        except InvalidVideo:
            request.note.unlink(missing_ok=True)
            raise


def open_google(settings: Mapping[str, Any]) -> Google:
    """The backend of these settings.

    Raises:
        InvalidConfig: a setting is unknown or makes no sense.
    """
    return Google(strictly(GoogleSettings, "google", settings))


def _write(content: bytes, path: Path) -> None:
    with written_aside(path) as aside:
        aside.write_bytes(content)
