"""A prompt cut into steps: what happens one after the other, and the seconds at which it should.

A planner hears one thing well and three things in a row worse, and it cannot read a clock. Both can be read
by grammar: words that say "then", and numbers of seconds with what they belong to::

    He frowns at 1.5 s, then smiles for two seconds  ->  He frowns  (at 1.5)  |  A person smiles  (for 2)

What is said of the whole ("in a lively way") goes with every step. Characters stay known throughout, so that the
words of a step can be found in the prompt again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from tdmm.acting.sentences import said_of_all
from tdmm.acting.times import NUMBER, UNIT, seconds_of

Span = tuple[int, int]
"""From a character to before another one."""


@dataclass(frozen=True)
class Step:
    """One of the things that a prompt wants one after the other.

    Attributes:
        kept: the spans of the prompt that say it, in order.
        manner: those that say how everything is done.
        at: seconds from the start of the clip at which it begins; None is when the step before is over.
        later: seconds after the start of the step before, instead.
        lasts: its length in seconds; None is as long as it takes.
        nobody: whether its words need somebody who does it ("then smiles").
    """

    kept: tuple[Span, ...]
    manner: tuple[Span, ...] = ()
    at: float | None = None
    later: float | None = None
    lasts: float | None = None
    nobody: bool = False

    @property
    def spans(self) -> tuple[Span, ...]:
        """Everything of the prompt that it is told by."""
        return self.kept + self.manner

    @property
    def timed(self) -> bool:
        """Whether it was told when, or how long."""
        return any(each is not None for each in (self.at, self.later, self.lasts))

    def text(self, prompt: str, without: Span = (0, 0)) -> str:
        """Its words as a sentence of their own; without those of a span of the prompt, if one is given."""
        if self.kept == ((0, len(prompt)),) and without == (0, 0):
            return prompt
        opening = "".join(_cut(prompt, each, without) for each in self.manner if each < self.kept[0])
        closing = "".join(_cut(prompt, each, without) for each in self.manner if each > self.kept[0])
        words = "".join(_cut(prompt, each, without) for each in self.kept)
        if self.nobody and words.strip(" ,;"):
            words = _SOMEBODY + words.lstrip(" ,;")
        whole = re.sub(r"\s{2,}", " ", f"{opening}{words}{closing}")
        return re.sub(r"\s+([,.;!?])", r"\1", whole).strip(" ,;")


def _cut(prompt: str, span: Span, without: Span) -> str:
    """The characters of a span, but those of another one."""
    (first, last), (start, end) = span, without
    if end <= first or last <= start:
        return prompt[first:last]
    return prompt[first : max(first, start)] + prompt[min(last, end) : last]


def steps(prompt: str) -> tuple[Step, ...]:
    """The steps of a prompt without weights, in the order in which they happen; at least one.

    It is cut at words that say that one thing follows another, between things that have seconds of their own, and, when
    it is long, where sentences end. A prompt of one step without seconds is kept as it is.
    """
    body, manner = _body(prompt)
    found: list[Step] = []
    for span, turned, opened in _parts(prompt, body):
        timed = [_timed(prompt, part) for part in _between_times(prompt, span)]
        timed[0] = replace(timed[0], nobody=opened and _lacks_subject(prompt, timed[0].kept))
        timed[1:] = [replace(each, nobody=_lacks_subject(prompt, each.kept)) for each in timed[1:]]
        if turned:
            found[-1:] = [*timed, *found[-1:]]
        else:
            found += timed
    if len(found) == 1 and found[0].kept == (body,):
        return (Step(((0, len(prompt)),)),)
    return tuple(replace(each, manner=manner) for each in found)


def without_manner(prompt: str) -> str:
    """The words of a prompt but those that say how everything is done."""
    return prompt[slice(*_body(prompt)[0])]


_SOMEBODY = "A person "
_LONG = 45  # words above which sentences are steps even where nothing says "then"

_FOLLOWING = (
    r"then|after that|after which|afterwards?|next|subsequently|finally|lastly|last of all|in the end"
    r"|at the (?:very )?end|eventually|followed by|from there|with that done|following that|to finish|to round it off"
    r"|as a last step"
)
_NEXT = re.compile(
    # "and then", ", after that,"; as the first words of a sentence too. "Now and then" and "then again" are neither.
    rf"(?:(?<=[.!?;])\s+(?:and )?(?:{_FOLLOWING})\b|,\s*(?:and |but )?(?:who )?(?:{_FOLLOWING})\b"
    rf"|(?<!\bnow)\s+(?:and |but |who )(?:{_FOLLOWING})\b|\A\s*(?:and )?then\b|(?<!\band)\s+then\b|\s+followed by\b)"
    r"(?! again\b)(?! that is over\b),?\s+",
    re.IGNORECASE,
)
_PRECEDING = re.compile(
    r",?\s+(?P<word>before|after)\s+(?:then\s+)?(?=(?:\w+ly\s+)?(?!\w*thing\b)\w+ing\b)", re.IGNORECASE
)
_LIKENED = re.compile(
    r"\b(?:like|as if|as though|as in|(?:looks?|face|eyes|brows?|mouth|smile) of"
    r"|(?:right|just|moments?|seconds?|shortly)$)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=\S)")
_WEAK = re.compile(r",?\s+(?:and|while|whilst|but|as)\s+|,\s+|(?<=[.!?;])\s+", re.IGNORECASE)

_ABOUT = r"(?:about |around |roughly |exactly )?"
_TIME = re.compile(
    rf"\(?\b(?:from|between)\s+{_ABOUT}(?P<from>{NUMBER})[\s-]*(?:{UNIT})?\s*(?:-|–|to|until|till|and)\s*{_ABOUT}(?P<to>{NUMBER})[\s-]*{UNIT}\)?"
    rf"|\({_ABOUT}(?P<from2>{NUMBER})\s*s?\s*(?:-|–|to)\s*{_ABOUT}(?P<to2>{NUMBER})[\s-]*{UNIT}\)"
    rf"|\b(?:starting |beginning |from )?(?:at|from|on) (?:about )?second\s+(?P<at>{NUMBER})(?![\d.]*\d)"
    rf"|\b(?:starting |beginning )?at\s+(?:the\s+)?{_ABOUT}(?P<at2>{NUMBER})[\s-]*{UNIT}(?:\s+mark)?"
    rf"|\b{_ABOUT}(?P<later>{NUMBER})[\s-]*{UNIT}\s+later\b"
    rf"|\b{_ABOUT}(?P<at3>{NUMBER})[\s-]*{UNIT}\s+in\b(?!\s+(?:the|a|an|his|her|their|my|your)\b)"
    rf"|\b(?:starting |beginning )?after\s+{_ABOUT}(?P<at4>{NUMBER})[\s-]*{UNIT}"
    rf"|\bfor\s+(?:the first\s+)?{_ABOUT}(?P<for>{NUMBER})[\s-]*{UNIT}"
    rf"|\buntil\s+{_ABOUT}(?P<until>{NUMBER})[\s-]*{UNIT}",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"(?:a|an|the|he|she|they|it|i|you|we|his|her|their|my|your|this|that|there|one|someone|somebody|imagine|with)\b",
    re.IGNORECASE,
)
_ADVERBS = re.compile(r"(?:(?:\w+ly|first|also|just|very|once|again|then)\s+)*", re.IGNORECASE)


def _body(prompt: str) -> tuple[Span, tuple[Span, ...]]:
    """The span of what happens, and those of what is said of all of it."""
    start, end, manner = 0, len(prompt), list[Span]()
    at_start, at_end = _manner()
    opening = at_start.match(prompt)
    if opening and opening.end() < end:
        start = opening.end()
        manner.append((0, start))
    closing = at_end.search(prompt, start)
    if closing and closing.start() > start:
        end = closing.start()
        manner.append((end, len(prompt)))
    return (start, end), tuple(manner)


@cache
def _manner() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What is said of the whole, at the start and at the end of a prompt."""
    phrases, sentences = map(_alternatives, said_of_all())
    phrase = rf"(?:{phrases}|in an? [\w\s-]{{3,30}} (?:way|manner|mood|fashion|style))"
    return (
        re.compile(rf"\s*{phrase},\s+", re.IGNORECASE),
        re.compile(rf",\s+all (?:of it )?{phrase}\s*[.!]?\s*$|\s+(?:{sentences})\s*[.!]?\s*$", re.IGNORECASE),
    )


def _alternatives(phrases: Sequence[str]) -> str:
    return "|".join(re.escape(each.rstrip(".")) for each in sorted(phrases, key=len, reverse=True))


def _parts(prompt: str, body: Span) -> Iterator[tuple[Span, bool, bool]]:
    """Spans of what happens one after the other: whether one belongs before the last, and whether it follows one."""
    start, end = body
    long = len(prompt[start:end].split()) > _LONG
    cuts = [(*each.span(), False) for each in _NEXT.finditer(prompt, start, end)]
    if long:
        taken = [(first, last) for first, last, _ in cuts]
        cuts += [
            (*each.span(), False)
            for each in _SENTENCE.finditer(prompt, start, end)
            if not any(first <= each.start() < last for first, last in taken)
        ]
    for each in _PRECEDING.finditer(prompt, start, end):
        sentence = prompt[start : each.start()]
        if not _LIKENED.search(re.split(r"[.!?;]\s", sentence)[-1]):
            cuts.append((*each.span(), each["word"].lower() == "after"))
    turned = opened = False
    for first, last, back in sorted(cuts):
        if prompt[start:first].strip(" ,;.!?") and prompt[last:end].strip(" ,;.!?"):
            yield (start, first), turned, opened
            turned, opened, start = back, True, last
        elif not prompt[start:first].strip(" ,;.!?"):
            start = last  # "Then she smiles" with nothing before it
    yield (start, end), turned, opened


def _between_times(prompt: str, span: Span) -> list[Span]:
    """A span cut so that every moment that is named has its own words."""
    start, end = span
    moments = [each for each in _TIME.finditer(prompt, start, end) if _moment(each) is not None]
    cuts = []
    for before, after in pairwise(moments):
        # "At 1 s she nods and at 2 s she smiles", or "She nods at 1 s and smiles at 2 s".
        leads = not prompt[start : moments[0].start()].strip(" ,")
        weak = list(_WEAK.finditer(prompt, before.end(), after.start()))
        if not weak:
            return [span]
        cuts.append(weak[-1 if leads else 0].span())
    edges = [start, *(edge for cut in cuts for edge in cut), end]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _moment(match: re.Match[str]) -> float | None:
    return next((seconds_of(match[name]) for name in ("from", "from2", "at", "at2", "at3", "at4") if match[name]), None)


def _timed(prompt: str, span: Span) -> Step:
    """A step without the words that say when."""
    start, end = span
    at = later = until = lasts = None
    kept, done = list[Span](), start
    for match in _TIME.finditer(prompt, start, end):
        moment, groups = _moment(match), match.groupdict()
        if moment is not None:
            if at is not None:
                return Step((span,))  # two moments and nothing to part them: left to the planner
            at = moment
        if groups["later"]:
            later = seconds_of(groups["later"])
        if ends := groups["to"] or groups["to2"] or groups["until"]:
            until = seconds_of(ends)
        if groups["for"]:
            lasts = seconds_of(groups["for"])
        kept.append((done, match.start()))
        done = match.end()
    kept.append((done, end))
    kept = [each for each in kept if prompt[slice(*each)].strip()]
    if not any(re.search(r"\w", prompt[slice(*each)]) for each in kept):
        return Step((span,))
    if until is not None and at is not None and until > at:
        lasts = until - at
    elif until is not None and at is None and later is None:
        at, lasts = 0.0, until
    return Step(tuple(kept), (), at, later, None if lasts is None else round(lasts, 3))


def _lacks_subject(prompt: str, kept: Sequence[Span]) -> bool:
    """Whether words begin with what somebody does: "then markedly shows doubt", "finally tucking in a corner"."""
    words = "".join(prompt[slice(*each)] for each in kept).strip(" ,;")
    if _SUBJECT.match(words):
        return False
    rest = words[_ADVERBS.match(words).end() :]  # type: ignore[union-attr]  # it matches nothing too
    verb = re.match(r"[\w-]+", rest)
    return bool(verb) and bool(re.search(r"(?:ing|ed|[^s]s)$", verb[0]))  # type: ignore[index]
