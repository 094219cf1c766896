"""English inflection, as far as the lexicon needs it: verbs, articles, plurals, adverbs.

A verb phrase carries its verb first ("stick out {poss} tongue"); further verbs that inflect with it are
marked by a star ("wink and *grin").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Literal

VerbForm = Literal["base", "third", "gerund", "past"]

# base: (past, past participle); everything else is regular
_IRREGULAR = {
    "be": ("was", "been"), "beat": ("beat", "beaten"), "bite": ("bit", "bitten"), "blow": ("blew", "blown"),
    "break": ("broke", "broken"), "bring": ("brought", "brought"), "burst": ("burst", "burst"),
    "cast": ("cast", "cast"), "catch": ("caught", "caught"), "come": ("came", "come"),
    "cut": ("cut", "cut"), "do": ("did", "done"), "draw": ("drew", "drawn"), "fall": ("fell", "fallen"),
    "feel": ("felt", "felt"), "fight": ("fought", "fought"), "find": ("found", "found"),
    "freeze": ("froze", "frozen"), "get": ("got", "got"), "give": ("gave", "given"), "go": ("went", "gone"),
    "grow": ("grew", "grown"), "hang": ("hung", "hung"), "have": ("had", "had"), "hold": ("held", "held"),
    "keep": ("kept", "kept"), "knit": ("knit", "knit"), "let": ("let", "let"), "light": ("lit", "lit"),
    "make": ("made", "made"), "put": ("put", "put"), "run": ("ran", "run"), "set": ("set", "set"),
    "shake": ("shook", "shaken"), "shoot": ("shot", "shot"), "show": ("showed", "shown"),
    "shrink": ("shrank", "shrunk"), "shut": ("shut", "shut"), "sink": ("sank", "sunk"),
    "stand": ("stood", "stood"), "stick": ("stuck", "stuck"), "swell": ("swelled", "swollen"),
    "swing": ("swung", "swung"), "take": ("took", "taken"), "tear": ("tore", "torn"),
    "think": ("thought", "thought"), "throw": ("threw", "thrown"), "thrust": ("thrust", "thrust"),
    "wake": ("woke", "woken"), "wear": ("wore", "worn"), "weep": ("wept", "wept"), "wet": ("wet", "wet"),
    "bend": ("bent", "bent"), "hear": ("heard", "heard"), "hide": ("hid", "hidden"), "lose": ("lost", "lost"),
    "send": ("sent", "sent"), "lay": ("laid", "laid"), "sit": ("sat", "sat"), "sweep": ("swept", "swept"),
    "bear": ("bore", "borne"), "build": ("built", "built"), "dig": ("dug", "dug"), "drink": ("drank", "drunk"),
    "eat": ("ate", "eaten"), "fly": ("flew", "flown"), "forget": ("forgot", "forgotten"), "grind": ("ground", "ground"),
    "hit": ("hit", "hit"), "lead": ("led", "led"), "leave": ("left", "left"), "meet": ("met", "met"),
    "pay": ("paid", "paid"), "rend": ("rent", "rent"), "sell": ("sold", "sold"), "shed": ("shed", "shed"),
    "shine": ("shone", "shone"), "sing": ("sang", "sung"), "sleep": ("slept", "slept"), "speak": ("spoke", "spoken"),
    "spit": ("spat", "spat"), "split": ("split", "split"), "strike": ("struck", "struck"), "tell": ("told", "told"),
    "win": ("won", "won"), "withdraw": ("withdrew", "withdrawn"), "wring": ("wrung", "wrung"),
    "slide": ("slid", "slid"), "steal": ("stole", "stolen"), "spring": ("sprang", "sprung"),
    "lean": ("leaned", "leaned"), "say": ("said", "said"), "see": ("saw", "seen"), "stay": ("stayed", "stayed"),
}  # fmt: skip

_DOUBLED_BEYOND_ONE_SYLLABLE = frozenset({"begin", "expel", "forget", "regret", "upset"})
_VOWELS = "aeiou"


def third_person(verb: str) -> str:
    """`smirk` to `smirks`, `purse` to `purses`, `press` to `presses`, `cry` to `cries`, `be` to `is`."""
    special = {"be": "is", "have": "has", "do": "does", "go": "goes"}
    if verb in special:
        return special[verb]
    if verb.endswith(("s", "x", "z", "ch", "sh")):
        return verb + "es"
    if verb.endswith("y") and verb[-2:-1] not in _VOWELS:
        return verb[:-1] + "ies"
    return verb + "s"


def gerund(verb: str) -> str:
    """`smirk` to `smirking`, `purse` to `pursing`, `grin` to `grinning`, `be` to `being`."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")) and verb != "be":
        return verb[:-1] + "ing"
    return _doubled(verb) + "ing"


def past(verb: str) -> str:
    """`smirk` to `smirked`, `stick` to `stuck`."""
    return _IRREGULAR[verb][0] if verb in _IRREGULAR else _regular_past(verb)


def past_participle(verb: str) -> str:
    """`smirk` to `smirked`, `bite` to `bitten`."""
    return _IRREGULAR[verb][1] if verb in _IRREGULAR else _regular_past(verb)


@cache
def verb_forms(verb: str) -> tuple[str, ...]:
    """Every form of a verb, the base first, each once."""
    forms = (verb, third_person(verb), gerund(verb), past(verb), past_participle(verb))
    return tuple(dict.fromkeys(forms + (("are", "were") if verb == "be" else ())))


def _regular_past(verb: str) -> str:
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2:-1] not in _VOWELS:
        return verb[:-1] + "ied"
    return _doubled(verb) + "ed"


def _doubled(verb: str) -> str:
    """The stem before -ing and -ed: a final consonant after one short stressed vowel is doubled."""
    if verb in _DOUBLED_BEYOND_ONE_SYLLABLE:
        return verb + verb[-1]
    one_syllable = len(re.findall("[aeiouy]+", verb.replace("qu", "q"))) == 1
    ends_short = re.search("[^aeiou][aeiou][^aeiouwxy]$", verb.replace("qu", "q")) is not None
    return verb + verb[-1] if one_syllable and ends_short else verb


def with_article(noun: str) -> str:
    """`frown` to `a frown`, `angry look` to `an angry look`."""
    return f"{article(noun)} {noun}"


def article(noun: str) -> str:
    """`a` or `an`, by the sound the next word starts with."""
    word = noun.lower()
    if re.match("(hour|honest|honou?r|heir)", word):
        return "an"
    if re.match("(one|once|uni|use|usu|eu|uk)", word):
        return "a"
    return "an" if word[:1] in _VOWELS or word == "o-shaped" else "a"


def plural(noun: str) -> str:
    """The plural of a noun phrase without article: the last word before a preposition gets its ending."""
    head, *tail = re.split("( of | to | from | in | at | with | against | around | {)", noun, maxsplit=1)
    words = head.split(" ")
    words[-1] = _plural_word(words[-1])
    return " ".join(words) + "".join(tail)


def _plural_word(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in _VOWELS:
        return word[:-1] + "ies"
    return word + "s"


def adverb(adjective: str) -> str:
    """`sad` to `sadly`, `happy` to `happily`, `terrible` to `terribly`, `dramatic` to `dramatically`."""
    if adjective.endswith("y") and len(adjective) > 3:
        return adjective[:-1] + "ily"
    if adjective.endswith("le") and adjective[-3:-2] not in _VOWELS:
        return adjective[:-1] + "y"
    if adjective.endswith("ic"):
        return adjective + "ally"
    return adjective + "y" if adjective.endswith("ll") else adjective + "ly"


_FORMS: dict[VerbForm, Callable[[str], str]] = {
    "base": str, "third": third_person, "gerund": gerund, "past": past
}  # fmt: skip


def inflected(phrase: str, form: VerbForm) -> str:
    """A verb phrase with its verbs (the first word and those starred) in another form.

    Args:
        phrase: base form, "wink and *grin".
        form: which one.
    """
    inflect = _FORMS[form]
    first, *rest = phrase.split(" ")
    return " ".join([inflect(first), *(inflect(word[1:]) if word.startswith("*") else word for word in rest)])


def count_adverb(count: int) -> str:
    """`once`, `twice`, `three times` ..."""
    return {1: "once", 2: "twice"}.get(count, f"{number(count)} times")


def number(count: int) -> str:
    """0 to 20 in words, digits above."""
    words = (
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
        "nineteen", "twenty",
    )  # fmt: skip
    return words[count] if 0 <= count < len(words) else str(count)
