"""The script language: YAML that people write, into `Script` and back. `docs/script.md` describes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from tdmm.acting.coherence import check_coherence
from tdmm.acting.entries import Fields, spelled, suggestion
from tdmm.acting.lexicon import load
from tdmm.acting.script import LONGEST, Blink, Energy, Event, Gaze, HeadMotion, Script
from tdmm.acting.strict_yaml import MAX_CHARACTERS, Document, parse_yaml
from tdmm.errors import InvalidScript, did_you_mean
from tdmm.face.facs import Side
from tdmm.files import require_readable, written_aside
from tdmm.motion.events import GAZE_DIRECTIONS, HEAD_MOTIONS, HeadMotionKind

TOP = ("subject", "seconds", "energy", "timeline")
_DO = ("do", "at", "for", "rise", "hold", "fall", "side", "intensity")
_HEAD = ("head", "at", "for", "times", "intensity")
_LOOK = ("look", "at", "for", "intensity")
_BLINK = ("blink", "at", "slow")
_KINDS = {"do": _DO, "head": _HEAD, "look": _LOOK, "blink": _BLINK}

_TOGETHER = "together"
_FIRST_AT = 0.3
_AFTERGLOW = 0.5  # seconds left after the last event where no length is given
_MOST_ENTRIES = 1000
_CYCLE = 0.5  # seconds of one nod, shake or wobble
_STAY = 1.6  # seconds of a turn, tilt, bow, raise or lean
_RECOIL = 0.8
_LOOK_SECONDS = 1.0
_BLINK_SECONDS = {False: 0.4, True: 0.7}
_CYCLIC: tuple[HeadMotionKind, ...] = ("nod", "shake", "wobble")

Where = Callable[[tuple[str | int, ...]], str]
_Item = Event | HeadMotion | Gaze | Blink


def read_script(path: Path) -> Script:
    """Read a script from a YAML file (or from the JSON of a `Script`, which is YAML too).

    Raises:
        InvalidScript: not YAML, empty, or against the grammar; the message names file, line and entry.
        FileProblem: it cannot be read.
    """
    require_readable(path)
    if path.stat().st_size > 4 * MAX_CHARACTERS:
        raise InvalidScript(
            f"{path.name}: {path.stat().st_size:,} bytes is no script; {MAX_CHARACTERS:,} is the limit."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidScript(f"{path.name}: not a text file in UTF-8 (byte {error.start}).") from error
    document = parse_yaml(text, lambda message: InvalidScript(f"{path.name}: {message}"))
    if document.data is None:
        raise InvalidScript(f"{path.name}: the file is empty. Give it a 'timeline' (see docs/script.md).")
    if not isinstance(document.data, Mapping):
        raise InvalidScript(f"{path.name}: a script is a mapping with a 'timeline' (see docs/script.md).")
    return _parsed(document.data, _places(path.name, document))


def parse_script(data: Mapping[str, Any]) -> Script:
    """Make a script from its mapping: the grammar of `docs/script.md`, or the fields of `Script`.

    Raises:
        InvalidScript: it breaks the grammar; the message names the entry.
    """
    return _parsed(data, _places("", Document(None)))


def write_script(script: Script, path: Path) -> None:
    """Write a script in the grammar, so that `read_script` gives it back (times to a microsecond).

    Raises:
        FileProblem: the file cannot be written.
    """
    timeline = [*map(_event_entry, script.events), *map(_head_entry, script.head)]
    timeline += [*map(_look_entry, script.gaze), *map(_blink_entry, script.blinks)]
    timeline.sort(key=lambda entry: float(entry["at"]))
    whole = {
        "subject": script.subject, "seconds": _micro(script.seconds), "energy": script.energy, "timeline": timeline
    }  # fmt: skip
    with written_aside(path) as aside:
        aside.write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=100), encoding="utf-8")


def _places(name: str, document: Document) -> Where:
    def where(path: tuple[str | int, ...]) -> str:
        line = document.line(path) if path else None
        parts = [name] if name else []
        if line is not None:
            parts.append(f"line {line}")
        if len(path) > 1 and isinstance(path[1], int):
            parts.append(f"{path[0]} entry {path[1] + 1}")
        return ", ".join(parts) or "script"

    return where


def _parsed(data: Mapping[str, Any], where: Where) -> Script:
    if not isinstance(data, Mapping):
        raise InvalidScript(f"{where(())}: a script is a mapping with a 'timeline', not {type(data).__name__}.")
    script = _exact(data, where) if "events" in data else _grammatical(data, where)
    check_coherence(script, where(()))
    return script


def _exact(data: Mapping[str, Any], where: Where) -> Script:
    """The fields of `Script` as they are, as the corpus stores them."""
    try:
        return Script.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        path = tuple(part for part in first["loc"] if isinstance(part, str | int))
        field = ".".join(str(part) for part in path)
        raise InvalidScript(f"{where(path)}: field {field}: {first['msg']}.") from error


def _grammatical(data: Mapping[str, Any], where: Where) -> Script:
    fields = Fields(data, lambda key: where((key,) if key else ()))
    timeline = fields.raw("timeline")
    if timeline is None:
        timeline = []
    if not isinstance(timeline, list):
        raise fields.fail("'timeline' must be a list; begin each entry with '- '.", "timeline")
    if len(timeline) > _MOST_ENTRIES:
        raise fields.fail(f"'timeline' has {len(timeline)} entries; {_MOST_ENTRIES} is the limit.", "timeline")
    seconds = fields.number("seconds", 0.2)
    subject = fields.text("subject") or "a person"
    energy: Energy = fields.choice("energy", get_args(Energy), "energy") or "normal"
    fields.finish(TOP)
    if not timeline and seconds is None:
        raise fields.fail("the script says nothing; give it a 'timeline', or 'seconds' of a neutral face.")
    items: list[_Item] = []
    for index, entry in enumerate(timeline):
        place = _entry_place(where, index)
        item = _item(entry, items[-1] if items else None, place)
        if _end(item) > (LONGEST if seconds is None else seconds) + 1e-6:
            limit = f"{LONGEST:g} s, the most a script may have" if seconds is None else f"the script's {seconds:g} s"
            raise InvalidScript(f"{place(None)}: it ends at {_end(item):g} s, after {limit}.")
        items.append(item)
    if seconds is None:
        seconds = min(LONGEST, _micro(max(map(_end, items)) + _AFTERGLOW))
    return Script(
        seconds=seconds,
        subject=subject,
        energy=energy,
        events=tuple(item for item in items if isinstance(item, Event)),
        head=tuple(item for item in items if isinstance(item, HeadMotion)),
        gaze=tuple(item for item in items if isinstance(item, Gaze)),
        blinks=tuple(item for item in items if isinstance(item, Blink)),
    )


def _entry_place(where: Where, index: int) -> Callable[[str | None], str]:
    return lambda key: where(("timeline", index, key) if key else ("timeline", index))


def _item(entry: Any, before: _Item | None, place: Callable[[str | None], str]) -> _Item:
    if isinstance(entry, str):
        entry = {_kind_of_word(entry, place): 1 if spelled(entry) == "blink" else entry}
    if not isinstance(entry, Mapping):
        raise InvalidScript(f"{place(None)}: an entry is a name or a mapping that starts with do, head, look or blink.")
    fields = Fields(entry, place)
    kinds = [kind for kind in _KINDS if kind in entry]
    if len(kinds) != 1:
        given = "none" if not kinds else " and ".join(kinds)
        raise fields.fail(f"an entry has exactly one of do, head, look and blink; this one has {given}.")
    item = _READERS[kinds[0]](fields, _start(fields, before))
    fields.finish(_KINDS[kinds[0]])
    return item


def _kind_of_word(word: str, place: Callable[[str | None], str]) -> str:
    name = spelled(word)
    if name in load():
        return "do"
    if name in HEAD_MOTIONS:
        return "head"
    if name == "blink":
        return "blink"
    known = [*load().descriptors, *HEAD_MOTIONS, "blink"]
    raise InvalidScript(f"{place(None)}: unknown name '{word}'.{did_you_mean(name, known)} See `tdmm lexicon`.")


def _start(fields: Fields, before: _Item | None) -> float:
    """`at` in seconds; `together` is the start of the entry before, and without it its end."""
    if fields.data.get("at") == _TOGETHER:
        fields.raw("at")
        if before is None:
            raise fields.fail("the first entry cannot be 'together' with one before it.", "at")
        return _onset(before)
    at = fields.number("at")
    if at is not None:
        return at
    return _FIRST_AT if before is None else _end(before)


def _event(fields: Fields, at: float) -> Event:
    name = fields.text("do")
    entry = load().descriptors.get(spelled(name or ""))
    if entry is None:
        raise fields.fail(
            f"unknown descriptor '{name}'.{suggestion(name or '', load().descriptors)} `tdmm lexicon` lists them.", "do"
        )
    side: Side = fields.choice("side", get_args(Side), "side") or "both"
    if side != "both" and entry.side == "both":
        raise fields.fail(f"'{entry.name}' is done with both sides of the face; remove 'side'.", "side")
    rise, hold, fall = (sum(span) / 2.0 for span in (entry.onset, entry.hold, entry.offset))
    lasts = fields.number("for", 0.08)
    if lasts is not None:
        # Rise and fall keep their pace where there is time for them; holding takes the rest.
        shrink = min(1.0, 0.9 * lasts / (rise + fall))
        rise, fall = rise * shrink, fall * shrink
        hold = lasts - rise - fall
        given = [key for key in ("rise", "hold", "fall") if fields.data.get(key) is not None]
        if given:
            raise fields.fail(f"'for' is the whole length; give it or '{given[0]}', not both.", "for")
    parts = [fields.number(key) for key in ("rise", "hold", "fall")]
    rise, hold, fall = (
        default if part is None else part for part, default in zip(parts, (rise, hold, fall), strict=True)
    )
    return Event(
        descriptor=entry.name,
        intensity=fields.intensity(0.7),
        side=side,
        onset=_micro(at),
        apex=_micro(at + rise),
        offset=_micro(at + rise + hold),
        end=_micro(at + rise + hold + fall),
    )


def _head(fields: Fields, at: float) -> HeadMotion:
    kind = fields.choice("head", HEAD_MOTIONS, "head motion")
    if kind is None:
        raise fields.fail(f"'head' needs a motion: {', '.join(HEAD_MOTIONS)}.", "head")
    times = fields.count("times")
    if times is not None and times > 1 and kind not in _CYCLIC:
        raise fields.fail(f"'{kind}' does not repeat; 'times' goes with {', '.join(_CYCLIC)}.", "times")
    cycles = times or 1
    usual = _CYCLE * cycles if kind in _CYCLIC else _RECOIL if kind == "recoil" else _STAY
    lasts = fields.number("for", 0.08)
    return HeadMotion(
        kind=kind,
        intensity=fields.intensity(0.6),
        cycles=cycles,
        onset=_micro(at),
        end=_micro(at + (usual if lasts is None else lasts)),
    )


def _look(fields: Fields, at: float) -> Gaze:
    direction = fields.choice("look", GAZE_DIRECTIONS, "direction")
    if direction is None:
        raise fields.fail(f"'look' needs a direction: {', '.join(GAZE_DIRECTIONS)}.", "look")
    lasts = fields.number("for", 0.08)
    return Gaze(
        direction=direction,
        intensity=fields.intensity(0.6),
        onset=_micro(at),
        end=_micro(at + (_LOOK_SECONDS if lasts is None else lasts)),
    )


def _blink(fields: Fields, at: float) -> Blink:
    count = fields.count("blink")
    if count is None:
        raise fields.fail("'blink' needs a count: blink: 1", "blink")
    return Blink(time=_micro(at), count=count, slow=fields.truth("slow"))


_READERS: dict[str, Callable[[Fields, float], _Item]] = {"do": _event, "head": _head, "look": _look, "blink": _blink}


def _onset(item: _Item) -> float:
    return item.time if isinstance(item, Blink) else item.onset


def _end(item: _Item) -> float:
    return _micro(item.time + item.count * _BLINK_SECONDS[item.slow]) if isinstance(item, Blink) else item.end


def _micro(seconds: float) -> float:
    return round(seconds, 6)


def _event_entry(event: Event) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "do": event.descriptor,
        "at": _micro(event.onset),
        "rise": _micro(event.apex - event.onset),
        "hold": _micro(event.offset - event.apex),
        "fall": _micro(event.end - event.offset),
        "intensity": event.intensity,
    }
    return entry if event.side == "both" else {**entry, "side": event.side}


def _head_entry(motion: HeadMotion) -> dict[str, Any]:
    lasts = _micro(motion.end - motion.onset)
    entry = {"head": motion.kind, "at": _micro(motion.onset), "for": lasts, "intensity": motion.intensity}
    return {**entry, "times": motion.cycles} if motion.kind in _CYCLIC else entry


def _look_entry(gaze: Gaze) -> dict[str, Any]:
    lasts = _micro(gaze.end - gaze.onset)
    return {"look": gaze.direction, "at": _micro(gaze.onset), "for": lasts, "intensity": gaze.intensity}


def _blink_entry(blink: Blink) -> dict[str, Any]:
    entry: dict[str, Any] = {"blink": blink.count, "at": _micro(blink.time)}
    return {**entry, "slow": True} if blink.slow else entry
