"""Video models in environments of their own (HuMo, Open-Sora): a command, a file of prompts, the files it makes."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import string
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from tdmm.corpus.prompts.prompt import ClipPrompt
from tdmm.corpus.video.backend import Declined, GeneratorProblem, VideoFile
from tdmm.corpus.video.encode import made_clip, versions
from tdmm.corpus.video.settings import NegativeSettings, strictly
from tdmm.errors import InvalidVideo, did_you_mean

_OF_RUN = ("prompts", "output", "count", "negative")
_OF_CLIP = ("seed", "clip_id", "seconds")
_OF_OUTPUT = ("clip_id", "index", "seed")
_SEEDS = 2**31
"""Many tools keep a seed in 32 bits."""
_TAIL = 2000


class CommandSettings(NegativeSettings):
    """Settings of a tool that is run as a command."""

    indifferent: ClassVar[frozenset[str]] = frozenset({"environment", "directory", "variables", "timeout"})

    style: str = "plain"
    model: str = Field(description="what the tool is and which weights it uses, for provenance")
    command: tuple[str, ...] = Field(min_length=1, description="words of the command, with {placeholders}")
    prompts: Literal["cases.json", "csv"] = Field(description="file of prompts: HuMo's cases, or a table with `text`")
    outputs: str = Field(description="pattern under {output} that finds a clip's video: '{clip_id}_seed*.mp4'")
    environment: Path | None = Field(None, description="folder of the virtual environment that the tool runs in")
    directory: Path | None = Field(None, description="folder that it runs in")
    variables: dict[str, str] = Field(default_factory=dict, description="environment variables for it")
    timeout: float = Field(7200.0, gt=0, description="seconds for one run")

    @field_validator("command")
    @classmethod
    def _placeholders_of_command(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        for word in command:
            _require_known(word, (*_OF_RUN, *_OF_CLIP))
        return command

    @field_validator("outputs")
    @classmethod
    def _placeholders_of_outputs(cls, outputs: str) -> str:
        _require_known(outputs, _OF_OUTPUT)
        return outputs

    @model_validator(mode="after")
    def _finds_its_files(self) -> CommandSettings:
        named = _names(" ".join(self.command))
        for needed in ("prompts", "output"):
            if needed not in named:
                raise ValueError(f"command says nowhere {{{needed}}}, so the tool would not know its {needed}")
        if not self.one_by_one and not {"clip_id", "index"} & _names(self.outputs):
            raise ValueError("outputs needs {clip_id} or {index}, to tell the clips of one run apart")
        if self.negative is not None and "negative" not in named:
            raise ValueError("command says nowhere {negative}, so the tool would not be told it")
        return self

    def deciding(self) -> dict[str, Any]:
        """All that decides the clips; a negative prompt only where the tool is told one."""
        decided = super().deciding()
        return decided if "negative" in _names(" ".join(self.command)) else {**decided, "negative": None}

    @property
    def one_by_one(self) -> bool:
        """Whether the command names what belongs to one clip, so that each needs a run of its own."""
        return bool(_names(" ".join(self.command)) & set(_OF_CLIP))


class Command:
    """A `VideoBackend` that runs another program.

    With `{seed}`, `{seconds}` or `{clip_id}` in the command every clip has a run of its own; without, all clips of a
    `make` share one, and their seeds are the tool's affair.
    """

    def __init__(self, settings: CommandSettings) -> None:
        self._settings = settings

    @property
    def settings(self) -> Mapping[str, Any]:
        """All that decides its clips besides their prompts."""
        return {"name": "command", **self._settings.deciding()}

    def words(self, prompt: ClipPrompt) -> str:
        """The prompt in the tool's dialect."""
        return self._settings.words(prompt)

    def make(self, prompts: Sequence[ClipPrompt], folder: Path) -> list[VideoFile | Declined]:
        """Run the tool, and take what it made.

        Raises:
            GeneratorProblem: it cannot be started, fails, takes too long, or made other files than `outputs` says.
            InvalidVideo: a video of it is broken.
        """
        groups = [[prompt] for prompt in prompts] if self._settings.one_by_one else [list(prompts)]
        return [made for group in groups if group for made in self._run(group, folder)]

    def _run(self, prompts: list[ClipPrompt], folder: Path) -> list[VideoFile | Declined]:
        settings = self._settings
        with tempfile.TemporaryDirectory(prefix=".run-", dir=folder) as name:
            run = Path(name)
            listed = run / ("cases.json" if settings.prompts == "cases.json" else "prompts.csv")
            _WRITERS[settings.prompts](listed, {prompt.clip_id: self.words(prompt) for prompt in prompts})
            output = run / "output"
            output.mkdir()
            first = prompts[0]
            values = {
                "prompts": listed,
                "output": output,
                "count": len(prompts),
                "negative": settings.to_avoid(),
                "clip_id": first.clip_id,
                "seed": first.seed % _SEEDS,
                "seconds": f"{first.script.seconds:g}",
            }
            self._execute([word.format(**values) for word in settings.command], run / "log.txt")
            found = [self._found(output, prompt, index, run) for index, prompt in enumerate(prompts)]
            for prompt, path in zip(prompts, found, strict=True):
                path.replace(folder / f"{prompt.clip_id}.mp4")
        return [
            made_clip(prompt.clip_id, folder / f"{prompt.clip_id}.mp4", self._provenance(prompt, len(prompts)))
            for prompt in prompts
        ]

    def _execute(self, command: list[str], log: Path) -> None:
        settings = self._settings
        with log.open("wb") as written:
            try:
                process = subprocess.Popen(
                    command,
                    cwd=settings.directory,
                    env=_environment(settings.environment, settings.variables),
                    stdin=subprocess.DEVNULL,
                    stdout=written,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # so that its own children can be ended with it
                )
            except OSError as error:
                raise GeneratorProblem(
                    f"'{command[0]}' cannot be started ({error.strerror or error}). Check `command`, `environment` and "
                    "`directory` of the video settings."
                ) from error
            try:
                status = process.wait(settings.timeout)
            except subprocess.TimeoutExpired as error:
                raise GeneratorProblem(
                    f"'{command[0]}' was not done after {settings.timeout:g} s. Raise `timeout`, or make fewer clips "
                    f"at once. It ended with:\n{_tail(log)}"
                ) from error
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if status:
            raise GeneratorProblem(f"'{command[0]}' failed with exit code {status}. It ended with:\n{_tail(log)}")

    def _found(self, output: Path, prompt: ClipPrompt, index: int, run: Path) -> Path:
        pattern = self._settings.outputs.format(clip_id=prompt.clip_id, index=index, seed=prompt.seed % _SEEDS)
        matches = sorted(path for path in output.glob(pattern) if path.is_file())
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise GeneratorProblem(
                f"{len(matches)} files match '{pattern}' for clip {prompt.clip_id}. Make `outputs` say which one it is."
            )
        made = sorted(str(path.relative_to(output)) for path in output.rglob("*") if path.is_file())
        raise InvalidVideo(
            f"The command made no '{pattern}' for clip {prompt.clip_id}; it made {', '.join(made[:5]) or 'nothing'}. "
            f"If that is its video, mend `outputs`. It ended with:\n{_tail(run / 'log.txt')}"
        )

    def _provenance(self, prompt: ClipPrompt, together: int) -> dict[str, Any]:
        seed = prompt.seed % _SEEDS if "seed" in _names(" ".join(self._settings.command)) else None
        return {
            **self.settings,
            "words": self.words(prompt),
            "seed": seed,
            "clips_in_run": together,
            "versions": versions(),
        }


def open_command(settings: Mapping[str, Any]) -> Command:
    """The backend of these settings.

    Raises:
        InvalidConfig: a setting is unknown or makes no sense.
    """
    return Command(strictly(CommandSettings, "command", settings))


def write_cases(path: Path, words: Mapping[str, str]) -> None:
    """Prompts as HuMo reads them: a case by clip, without a reference image and without sound."""
    cases: dict[str, dict[str, Any]] = {
        clip_id: {"img_paths": [], "audio_path": None, "prompt": text} for clip_id, text in words.items()
    }
    path.write_text(json.dumps(cases, ensure_ascii=False, indent=1), encoding="utf-8")


def write_table(path: Path, words: Mapping[str, str]) -> None:
    """Prompts as Open-Sora reads them: a table with one column, `text`."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["text"])
        writer.writerows([" ".join(text.split())] for text in words.values())


_WRITERS: dict[str, Callable[[Path, Mapping[str, str]], None]] = {"cases.json": write_cases, "csv": write_table}


def _environment(folder: Path | None, variables: Mapping[str, str]) -> dict[str, str]:
    """What the tool sees: its own virtual environment in place of ours."""
    seen = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    if folder is not None:
        seen |= {"VIRTUAL_ENV": str(folder), "PATH": f"{folder / 'bin'}{os.pathsep}{seen.get('PATH', '')}"}
    return {**seen, **variables}


def _tail(log: Path) -> str:
    words = log.read_bytes()[-_TAIL:].decode(errors="replace").strip()
    return words or "(nothing was printed)"


def _names(template: str) -> set[str]:
    return {
        name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(template) if name is not None
    }


def _require_known(template: str, known: Sequence[str]) -> None:
    for name in sorted(_names(template) - set(known)):
        listed = ", ".join(f"{{{each}}}" for each in known)
        raise ValueError(
            f"'{template}' holds {{{name}}}.{did_you_mean(name, known)} Known: {listed}; braces are doubled to be kept"
        )
