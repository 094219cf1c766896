"""`Descriptor`: one thing a face can do, with its FACS recipe, its timing and the words for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from tdmm.face.facs import ACTIONS, Side

Kind = Literal["emotion", "compound", "mental_state", "action", "micro"]
"""emotion; compound emotion (Du, Tao & Martinez 2014); mental state; facial action; micro-expression."""

KINDS: tuple[Kind, ...] = get_args(Kind)

RecipeSide = Literal["same", "both", "opposite"]
DescriptorSide = Literal["both", "one", "either"]
Form = Literal["verb", "noun", "adjective"]
FORMS: tuple[Form, ...] = get_args(Form)
Style = Literal["plain", "direct", "idiom", "situation", "clinical", "director"]
"""plain words of the lexicon; and of the phrase bank: other plain words, figures of speech, the cause in place
of the face ("as if she had won"), an anatomist's words, a director's note."""
Range = tuple[float, float]


@dataclass(frozen=True)
class ActionRecipe:
    """One facial action of a recipe.

    Attributes:
        action: a name of `tdmm.face.facs.ACTIONS`.
        peak: lowest and highest peak coefficient at intensity 1; the actor draws within.
        probability: how often the action is part of the expression; 1.0 makes it core.
        side: `same` follows the side of the event, `opposite` takes the other one, `both` always both.
        delay: seconds after the event's own onset.
    """

    action: str
    peak: Range
    probability: float
    side: RecipeSide = "same"
    delay: float = 0.0

    def side_for(self, side: Side) -> Side:
        """The side on which this action is performed when the event is on `side`."""
        if self.side == "both" or side == "both" or not ACTIONS[self.action].sided:
            return "both"
        if self.side == "same":
            return side
        return "right" if side == "left" else "left"


@dataclass(frozen=True)
class Phrasing:
    """One way to say a descriptor.

    Attributes:
        form: verb, noun or adjective.
        text: the words, with slots.
        strong: the words themselves say much ("roar with laughter"); not for a slight one. Marked `!` in YAML.
        style: how it is said.

    A verb is in its base form with the head word first ("grin from ear to ear"), further verbs that
    inflect with it are starred ("wink and *grin"). A noun carries its article ("a broad grin") or is a
    plural ("raised eyebrows"). An adjective follows "looks" ("on the verge of tears"). Slots in braces are
    filled by the narrator: `{poss}`, `{obj}`, `{subj}`, `{refl}` with pronouns; `{eyebrow}`, `{eye}`,
    `{eyelid}`, `{cheek}`, `{corner}` with "her eyebrows", "her left eyebrow" or "one eyebrow";
    `{sideways}` with "to the left" or "to one side".
    """

    form: Form
    text: str
    strong: bool = False
    style: Style = "plain"


@dataclass(frozen=True)
class Descriptor:
    """One entry of the lexicon.

    Attributes:
        name: snake case, unique.
        family: descriptors of one family look alike.
        kind: what sort of thing it is.
        actions: the recipe; core actions first.
        side: `both` is symmetric, `one` always one-sided, `either` symmetric unless a side is asked for.
        onset, hold, offset: ranges in seconds of rising, staying and fading.
        phrasings: at least three.
        gaze: a gaze direction that is part of the meaning.
        head: a head motion that is part of the meaning.
        blinks: blinks that are part of the meaning.
        source: where the recipe comes from, a key of `Lexicon.sources`.
    """

    name: str
    family: str
    kind: Kind
    actions: tuple[ActionRecipe, ...]
    side: DescriptorSide
    onset: Range
    hold: Range
    offset: Range
    phrasings: tuple[Phrasing, ...]
    gaze: str | None = None
    head: str | None = None
    blinks: int = 0
    source: str = ""

    @property
    def core(self) -> tuple[str, ...]:
        """Actions that are always part of it: the signature that must be seen."""
        return tuple(recipe.action for recipe in self.actions if recipe.probability == 1.0)

    def phrasings_of(self, form: Form) -> tuple[Phrasing, ...]:
        """The phrasings of one form, in the order of the file."""
        return tuple(phrasing for phrasing in self.phrasings if phrasing.form == form)
