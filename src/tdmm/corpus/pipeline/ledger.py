"""`Ledger`: what became of every clip at every stage, in one SQLite file that the driver alone writes.

A row of `work` is a clip at a stage. It comes into being when the stage before is done, `waiting`; it is `running`
from before it is given out; it ends as `done`, `rejected` or `quarantined`. Lists of clips are never held in memory.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tdmm.corpus.pipeline.crew import Batch, Task
from tdmm.corpus.pipeline.stage import Job, Stage
from tdmm.corpus.pipeline.store import Kept, canonical, content_key
from tdmm.errors import FileProblem, InvalidInput

NAME = "ledger.sqlite"
SCHEMA_VERSION = 1
_OURS = 0x7D3317ED  # in the file's header, so that another program's database is not taken for a ledger
_CHUNK = 256  # clips that are looked at together
_SHOWN = 3  # differences that a message names

_SCHEMA = """
CREATE TABLE place (url TEXT);
CREATE TABLE stages (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, settings TEXT NOT NULL);
CREATE TABLE clips (
    number INTEGER PRIMARY KEY, clip_id TEXT NOT NULL UNIQUE, position INTEGER NOT NULL,
    key TEXT NOT NULL, facts TEXT NOT NULL, files TEXT NOT NULL
);
CREATE INDEX by_position ON clips (position);
CREATE TABLE work (
    clip INTEGER NOT NULL REFERENCES clips (number) ON DELETE CASCADE, stage INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'rejected', 'quarantined')),
    attempts INTEGER NOT NULL DEFAULT 0, alone INTEGER NOT NULL DEFAULT 0, key TEXT NOT NULL,
    facts TEXT, files TEXT, rule TEXT, reason TEXT, seconds REAL, worker TEXT,
    PRIMARY KEY (clip, stage)
);
CREATE INDEX by_state ON work (stage, state, alone, clip, seconds);
"""
_SETTLED = "('done', 'rejected', 'quarantined')"


@dataclass(frozen=True)
class StageCounts:
    """How many clips are where at a stage, and how many seconds of work its results took in all."""

    name: str
    waiting: int = 0
    running: int = 0
    done: int = 0
    rejected: int = 0
    quarantined: int = 0
    seconds: float = 0.0

    @property
    def settled(self) -> int:
        """Clips that it need not look at again."""
        return self.done + self.rejected + self.quarantined


@dataclass(frozen=True)
class Quarantined:
    """A clip that was given up."""

    clip_id: str
    stage: str
    attempts: int
    error: str


@dataclass(frozen=True)
class Finished:
    """A clip that passed every stage.

    Attributes:
        clip_id: its name.
        position: in the list of jobs, from 0.
        facts: by the stages that told them, those it came with included.
        files: by name, relative to the corpus folder.
    """

    clip_id: str
    position: int
    facts: Mapping[str, Any]
    files: Mapping[str, str]


class Ledger:
    """The ledger of a corpus folder.

    Its queries say CROSS JOIN where SQLite is to keep to the order of the tables: from there it goes by an index, and
    reads a corpus in a time that grows with the corpus and not with its square.

    Args:
        folder: of the corpus.
        writable: False only reads, while somebody else may be writing.

    Raises:
        FileProblem: there is none, it is no ledger, it is damaged, or a newer version of tdmm wrote it.
    """

    def __init__(self, folder: Path, *, writable: bool = True) -> None:
        self.path = folder / NAME
        if not writable and not self.path.is_file():
            raise FileProblem(
                f"{folder}: no corpus is being built here. Build one: tdmm corpus build RECIPE --out {folder}"
            )
        with self._reported():
            mode = "rwc" if writable else "ro"
            uri = f"{self.path.absolute().as_uri()}?mode={mode}"
            self._database = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30.0)
            try:
                self._check_version(writable)
                if writable:
                    self._database.execute("PRAGMA journal_mode = WAL")
                    self._database.execute("PRAGMA foreign_keys = ON")
            except BaseException:
                self._database.close()
                raise

    def close(self) -> None:
        """Close the file; nothing is pending between transactions."""
        with self._reported():
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within is written, or nothing.

        Raises:
            FileProblem: the disk is full, or the file is damaged.
        """
        with self._reported():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def settle(
        self, stages: Sequence[Stage], jobs: Iterable[Job], *, url: str | None = None, redo: bool = False
    ) -> None:
        """Make this the ledger of these stages and jobs, or check that it is.

        What is new is added. What has other settings or another content than last time is set back to the first stage
        that they concern, with all that follows; clips that are no longer asked for are struck out. That happens only
        when `redo` is true, which also gives what was quarantined another chance.

        Raises:
            InvalidInput: results would have to be redone and `redo` is false: the message says which and how many;
                or a clip id comes twice, or the outputs lie elsewhere. The ledger is as it was.
        """
        with self.transaction():
            lost = [*self._changed_stages(stages), *self._changed_clips(jobs)]
            if lost and not redo:
                raise InvalidInput(
                    f"{self.path.parent}: was built from something else. {' '.join(lost)} "
                    "To do that, run the same command with --redo; to keep what is there, name another folder."
                )
            self._settle_place(url)
            if redo:
                self._database.execute(
                    "UPDATE work SET state = 'waiting', attempts = 0, alone = 1 WHERE state = 'quarantined'"
                )
            self._open_work(stages)

    def recover(self, limit: int) -> None:
        """What a build that died left running waits again, each clip alone; the last straw is quarantined."""
        with self.transaction():
            self._database.execute(
                "UPDATE work SET state = 'quarantined', reason = 'the build died while it was in work' "
                "WHERE state = 'running' AND alone = 1 AND attempts >= ?",
                (limit,),
            )
            self._database.execute("UPDATE work SET state = 'waiting', alone = 1 WHERE state = 'running'")

    def waiting(self, stage: int, limit: int) -> int:
        """How many clips wait for a stage; counts no further than `limit`."""
        query = "SELECT count(*) FROM (SELECT 1 FROM work WHERE stage = ? AND state = 'waiting' LIMIT ?)"
        return int(self._database.execute(query, (stage, limit)).fetchone()[0])

    def take(self, stage: int, limit: int, worker: str) -> Batch | None:
        """Clips for a worker, counted as an attempt from now on; None when none waits.

        Those that crashed in company come last, one at a time.
        """
        rows = self._database.execute(
            "SELECT w.clip, w.alone, w.key, w.attempts, c.clip_id, c.facts, c.files FROM work w "
            "JOIN clips c ON c.number = w.clip WHERE w.stage = ? AND w.state = 'waiting' "
            "ORDER BY w.alone, w.clip LIMIT ?",
            (stage, limit),
        ).fetchall()
        if not rows:
            return None
        rows = rows[:1] if rows[0][1] else [row for row in rows if not row[1]]
        told = {row[0]: (json.loads(row[5]), json.loads(row[6])) for row in rows}
        marks = ",".join("?" * len(rows))
        before = self._database.execute(
            "SELECT w.clip, s.name, w.facts, w.files FROM work w JOIN stages s ON s.number = w.stage "
            f"WHERE w.clip IN ({marks}) AND w.stage < ? ORDER BY w.stage",
            (*told, stage),
        )
        for clip, name, facts, files in before:
            told[clip][0][name] = json.loads(facts)
            told[clip][1].update(json.loads(files))
        self._database.executemany(
            "UPDATE work SET state = 'running', attempts = attempts + 1, worker = ? WHERE clip = ? AND stage = ?",
            [(worker, row[0], stage) for row in rows],
        )
        return Batch(stage, tuple(Task(row[0], row[4], row[2], row[3] + 1, *told[row[0]]) for row in rows))

    def record(self, batch: Batch, results: Sequence[Kept], following: Stage | None) -> None:
        """Results of a batch; what is done waits for the stage that follows, if one does."""
        self._database.executemany(
            "UPDATE work SET state = ?, facts = ?, files = ?, rule = ?, reason = ?, seconds = ? "
            "WHERE clip = ? AND stage = ?",
            [
                (
                    kept.state, canonical(kept.facts), canonical(kept.files), kept.rule, kept.reason, kept.seconds,
                    task.clip, batch.stage,
                )
                for task, kept in zip(batch.tasks, results, strict=True)
            ],
        )  # fmt: skip
        if following is not None:
            self._database.executemany(
                "INSERT INTO work (clip, stage, state, key) VALUES (?, ?, 'waiting', ?)",
                [
                    (task.clip, batch.stage + 1, stage_key(following, task.clip_id, task.key))
                    for task, kept in zip(batch.tasks, results, strict=True)
                    if kept.state == "done"
                ],
            )

    def release(self, batch: Batch) -> None:
        """Nothing happened to these clips: they wait as before."""
        self._database.executemany(
            "UPDATE work SET state = 'waiting', attempts = attempts - 1 WHERE clip = ? AND stage = ?",
            [(task.clip, batch.stage) for task in batch.tasks],
        )

    def crashed(self, batch: Batch, error: str, limit: int) -> None:
        """The worker of these clips died: they wait to be tried alone, or one has been tried often enough."""
        quarantined = len(batch.tasks) == 1 and batch.tasks[0].attempt >= limit
        self._database.executemany(
            "UPDATE work SET state = ?, alone = 1, reason = ? WHERE clip = ? AND stage = ?",
            [("quarantined" if quarantined else "waiting", error, task.clip, batch.stage) for task in batch.tasks],
        )

    def counts(self) -> tuple[StageCounts, ...]:
        """Clips per stage and state."""
        with self._reported():
            names = self._database.execute("SELECT name FROM stages ORDER BY number").fetchall()
            states: list[dict[str, int]] = [{} for _ in names]
            seconds = [0.0] * len(names)
            query = "SELECT stage, state, count(*), total(seconds) FROM work GROUP BY stage, state"
            for stage, state, count, spent in self._database.execute(query):
                states[stage][state] = count
                seconds[stage] += spent
            return tuple(
                StageCounts(name, **count, seconds=spent)
                for (name,), count, spent in zip(names, states, seconds, strict=True)
            )

    def clips(self) -> int:
        """How many clips are asked for."""
        with self._reported():
            return int(self._database.execute("SELECT count(*) FROM clips").fetchone()[0])

    @property
    def url(self) -> str | None:
        """Object storage of the outputs, if there is one."""
        with self._reported():
            row = self._database.execute("SELECT url FROM place").fetchone()
            return row[0] if row else None

    def content_keys(self) -> Iterator[tuple[str, str]]:
        """Stage and content key of all that clips lead to, made or still to be made."""
        query = "SELECT s.name, w.key FROM work w JOIN stages s ON s.number = w.stage"
        with self._reported():
            yield from self._database.execute(query)

    def rejections(self) -> dict[tuple[str, str], int]:
        """(stage, rule) to how many clips it rejected, most first."""
        query = (
            "SELECT s.name, w.rule, count(*) AS clips FROM stages s CROSS JOIN work w ON w.stage = s.number "
            "AND w.state = 'rejected' GROUP BY s.number, w.rule ORDER BY clips DESC, s.number, w.rule"
        )
        with self._reported():
            return {(stage, rule): count for stage, rule, count in self._database.execute(query)}

    def quarantined(self) -> Iterator[Quarantined]:
        """Clips that were given up, in the order of the jobs."""
        query = (
            "SELECT c.clip_id, s.name, w.attempts, w.reason FROM stages s CROSS JOIN work w ON w.stage = s.number "
            "AND w.state = 'quarantined' JOIN clips c ON c.number = w.clip ORDER BY c.position"
        )
        with self._reported():
            for row in self._database.execute(query):
                yield Quarantined(*row)

    def told(self, stage: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Id of each clip that a stage looked at, and what it told of it, whether it passed or was rejected."""
        with self._reported():
            for clip_id, facts in self._database.execute(
                "SELECT c.clip_id, w.facts FROM stages s CROSS JOIN work w ON w.stage = s.number "
                "AND w.state IN ('done', 'rejected') JOIN clips c ON c.number = w.clip "
                "WHERE s.name = ? ORDER BY w.clip",
                (stage,),
            ):
                yield clip_id, json.loads(facts)

    def fates(self) -> Iterator[tuple[str, bool]]:
        """Id of each clip that is asked for, in the order of the jobs, and whether a stage rejected it."""
        query = (
            "SELECT c.clip_id, EXISTS (SELECT 1 FROM work w WHERE w.clip = c.number AND w.state = 'rejected') "
            "FROM clips c ORDER BY c.position"
        )
        with self._reported():
            for clip_id, rejected in self._database.execute(query):
                yield clip_id, bool(rejected)

    def finished(self) -> Iterator[Finished]:
        """Clips that passed every stage, in the order of the jobs."""
        position = -1
        while True:
            with self._reported():
                rows = self._database.execute(
                    "SELECT c.number, c.position, c.clip_id, c.facts, c.files FROM clips c "
                    "CROSS JOIN work w ON w.clip = c.number AND w.stage = (SELECT max(number) FROM stages) "
                    "AND w.state = 'done' WHERE c.position > ? ORDER BY c.position LIMIT ?",
                    (position, _CHUNK),
                ).fetchall()
                told = {row[0]: (json.loads(row[3]), json.loads(row[4])) for row in rows}
                for clip, name, facts, files in self._database.execute(
                    "SELECT w.clip, s.name, w.facts, w.files FROM work w JOIN stages s ON s.number = w.stage "
                    f"WHERE w.clip IN ({','.join('?' * len(rows))}) ORDER BY w.stage",
                    list(told),
                ):
                    told[clip][0][name] = json.loads(facts)
                    told[clip][1].update(json.loads(files))
            if not rows:
                return
            for number, position, clip_id, _, _ in rows:
                yield Finished(clip_id, position, *told[number])

    def _check_version(self, writable: bool) -> None:
        def pragma(name: str) -> int:
            return int(self._database.execute(f"PRAGMA {name}").fetchone()[0])

        found = pragma("user_version")
        empty = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if empty and writable:
            with self.transaction():
                for statement in _SCHEMA.split(";"):
                    self._database.execute(statement)
                self._database.execute(f"PRAGMA application_id = {_OURS}")
                self._database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif pragma("application_id") != _OURS:
            raise FileProblem(f"{self.path}: is not a ledger of tdmm. Name another folder.")
        elif found > SCHEMA_VERSION:
            raise FileProblem(
                f"{self.path}: was written by a newer version of tdmm (schema {found}, this one knows "
                f"{SCHEMA_VERSION}). Update tdmm, or name another folder."
            )

    def _changed_stages(self, stages: Sequence[Stage]) -> Iterator[str]:
        """Bring the stages up to date; say what is lost by that."""
        found = self._database.execute("SELECT name, settings FROM stages ORDER BY number").fetchall()
        asked = [(stage.name, canonical(stage.settings)) for stage in stages]
        same = next((at for at, pair in enumerate(zip(found, asked, strict=False)) if pair[0] != pair[1]), None)
        first = same if same is not None else min(len(found), len(asked))
        query = f"SELECT count(DISTINCT clip) FROM work WHERE stage >= ? AND state IN {_SETTLED}"
        clips = self._database.execute(query, (first,)).fetchone()[0]
        if clips:
            for at in range(first, max(len(found), len(asked))):
                difference = _difference(found[at : at + 1], asked[at : at + 1])
                if difference:
                    yield difference
            names = ", ".join(f"'{name}'" for name, _ in asked[first:])
            done_again = (
                f"what {names} made of {clips} clips will be redone" if names else f"{clips} results are left aside"
            )
            kept = ", ".join(f"'{name}'" for name, _ in asked[:first])
            yield f"So {done_again}{f', what {kept} made is kept' if kept else ''}."
        self._database.execute("DELETE FROM work WHERE stage >= ?", (first,))
        self._database.execute("DELETE FROM stages WHERE number >= ?", (first,))
        self._database.executemany(
            "INSERT INTO stages VALUES (?, ?, ?)", [(at, *asked[at]) for at in range(first, len(asked))]
        )

    def _changed_clips(self, jobs: Iterable[Job]) -> Iterator[str]:
        """Bring the clips up to date; say what is lost by that."""
        execute = self._database.execute
        execute("CREATE TEMP TABLE asked (clip_id TEXT PRIMARY KEY)")
        has_results = f"EXISTS (SELECT 1 FROM work w WHERE w.clip = clips.number AND w.state IN {_SETTLED})"
        changed = position = 0
        rest = iter(jobs)
        while chunk := list(islice(rest, _CHUNK)):
            marks = ",".join("?" * len(chunk))
            query = f"SELECT clip_id, number, position, key, files, {has_results} FROM clips WHERE clip_id IN ({marks})"
            known = {row[0]: row[1:] for row in execute(query, [job.clip_id for job in chunk])}
            for job in chunk:
                if not execute("INSERT OR IGNORE INTO asked VALUES (?)", (job.clip_id,)).rowcount:
                    raise InvalidInput(f"The clip id '{job.clip_id}' comes twice. Ids have to be unique in a corpus.")
                facts = canonical(job.facts)
                files = canonical({name: str(path.absolute()) for name, path in job.files.items()})
                key = content_key(job.facts)
                number, *before, results = known.get(job.clip_id, (None, None))
                if number is None:
                    execute(
                        "INSERT INTO clips (clip_id, position, key, facts, files) VALUES (?, ?, ?, ?, ?)",
                        (job.clip_id, position, key, facts, files),
                    )
                elif before != [position, key, files]:
                    if before[1] != key:
                        changed += results
                        execute("DELETE FROM work WHERE clip = ?", (number,))
                    execute(
                        "UPDATE clips SET position = ?, key = ?, facts = ?, files = ? WHERE number = ?",
                        (position, key, facts, files, number),
                    )
                position += 1
        if position == 0:
            raise InvalidInput("No clip is asked for, so there is nothing to build.")
        unasked = "clip_id NOT IN (SELECT clip_id FROM asked)"
        gone = execute(f"SELECT count(*) FROM clips WHERE {unasked} AND {has_results}").fetchone()[0]
        execute(f"DELETE FROM clips WHERE {unasked}")
        execute("DROP TABLE asked")
        if changed:
            yield f"{changed} clips have another prompt: they will be redone from the first stage on."
        if gone:
            yield f"{gone} clips with results are no longer asked for: they will be left out."

    def _settle_place(self, url: str | None) -> None:
        row = self._database.execute("SELECT url FROM place").fetchone()
        if row is None:
            self._database.execute("INSERT INTO place VALUES (?)", (url,))
        elif row[0] != url:
            raise InvalidInput(
                f"{self.path.parent}: its outputs are stored {f'at {row[0]}' if row[0] else 'in the folder alone'}, "
                f"and {url or 'no other place'} is asked for. Ask for the same, or name another folder."
            )

    def _open_work(self, stages: Sequence[Stage]) -> None:
        """A row, waiting, for every clip and stage whose stage before is done."""
        self._database.create_function(
            "stage_key", 3, lambda number, clip_id, before: stage_key(stages[number], clip_id, before)
        )
        for number in range(len(stages)):
            self._database.execute(
                "INSERT INTO work (clip, stage, state, key) "
                "SELECT c.number, :stage, 'waiting', stage_key(:stage, c.clip_id, coalesce(p.key, c.key)) FROM clips c "
                "LEFT JOIN work p ON p.clip = c.number AND p.stage = :stage - 1 "
                "LEFT JOIN work w ON w.clip = c.number AND w.stage = :stage "
                "WHERE w.clip IS NULL AND (:stage = 0 OR p.state = 'done')",
                {"stage": number},
            )

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """What SQLite says, in words that help."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                way_out = "If the disk is full, make room; then run the same command again: what was made is kept."
            elif code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                way_out = (
                    f"If it was a ledger of tdmm, delete {NAME} and its {NAME}-wal and build again: what was made is "
                    "found in the store."
                )
            else:
                way_out = "Check that the folder can be written."
            raise FileProblem(f"{self.path}: {error}. {way_out}") from error


def stage_key(stage: Stage, clip_id: str, before: str) -> str:
    """Content key of a clip at a stage: of the stage, its settings, the clip, and the key of the stage before."""
    return content_key([stage.name, stage.settings, clip_id, before])


def _difference(found: Sequence[tuple[str, str]], asked: Sequence[tuple[str, str]]) -> str:
    """What a message says of one stage, there and asked for; each holds (name, settings) or nothing."""
    if not found:
        return ""
    name, settings = found[0]
    if not asked:
        return f"The stage '{name}' is no longer there."
    if asked[0][0] != name:
        return f"Where '{name}' was, there is '{asked[0][0]}'."
    then, now = json.loads(settings), json.loads(asked[0][1])
    changes = [
        f"{key} {_short(then.get(key))} there, {_short(now.get(key))} asked"
        for key in sorted({*then, *now})
        if then.get(key) != now.get(key)
    ]
    if not changes:
        return ""
    more = f"; and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
    return f"Stage '{name}': {'; '.join(changes[:_SHOWN])}{more}."


def _short(value: Any) -> str:
    text = "nothing" if value is None else canonical(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
