"""Which clips are good enough: rules with names, units and thresholds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from tdmm.corpus.quality.measures import Measures


class Rules(BaseModel):
    """Thresholds; null switches a rule off. A rule whose figure cannot be told of a clip does not reject it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least_seconds: float | None = Field(default=2.0, ge=0, description="s")
    most_seconds: float | None = Field(default=12.0, gt=0, description="s")
    least_face_share: float | None = Field(default=0.95, ge=0, le=1, description="share of pictures with the face")
    least_face_pixels: float | None = Field(default=80.0, ge=0, description="px, median size of the face")
    most_jitter_mm: float | None = Field(default=0.25, gt=0, description="mm, of the skin, in the median frame")
    most_residual_mm: float | None = Field(default=1.5, gt=0, description="mm, of the fit")
    most_yaw_deg: float | None = Field(default=50.0, gt=0, description="degrees, largest turn of the head")
    most_out_of_bounds: float | None = Field(default=0.02, ge=0, le=1, description="share of frames off 0 to 1")
    least_agreement: float | None = Field(default=0.4, ge=0, le=1, description="share of what was asked for")
    least_asked: int = Field(default=1, ge=1, description="things asked for from which on agreement is judged")


@dataclass(frozen=True)
class Broken:
    """A rule that a clip breaks.

    Attributes:
        rule: its short name, for counting.
        value, threshold: in `unit`.
        least: whether the threshold is the least that passes; otherwise it is the most.
    """

    rule: str
    what: str
    value: float
    threshold: float
    unit: str
    least: bool

    @property
    def reason(self) -> str:
        """In words: `jitter 0.61 mm, at most 0.25 mm`."""
        unit = f" {self.unit}" if self.unit else ""
        bound = "at least" if self.least else "at most"
        return f"{self.what} {self.value:.4g}{unit}, {bound} {self.threshold:g}{unit}"


@dataclass(frozen=True)
class _Rule:
    name: str
    what: str
    unit: str
    least: bool
    value: Callable[[Measures], float | None]
    threshold: Callable[[Rules], float | None]


_RULES = (
    _Rule("short", "length", "s", True, lambda m: m.seconds, lambda r: r.least_seconds),
    _Rule("long", "length", "s", False, lambda m: m.seconds, lambda r: r.most_seconds),
    _Rule("face-missing", "pictures with the face", "", True, lambda m: m.face_share, lambda r: r.least_face_share),
    _Rule("small-face", "size of the face", "px", True, lambda m: m.face_pixels, lambda r: r.least_face_pixels),
    _Rule("jitter", "jitter", "mm", False, lambda m: m.jitter_mm, lambda r: r.most_jitter_mm),
    _Rule("misfit", "residual of the fit", "mm", False, lambda m: m.residual_mm, lambda r: r.most_residual_mm),
    _Rule("turned-away", "turn of the head", "degrees", False, lambda m: m.yaw_deg, lambda r: r.most_yaw_deg),
    _Rule("out-of-bounds", "frames off 0 to 1", "", False, lambda m: m.out_of_bounds, lambda r: r.most_out_of_bounds),
    _Rule("not-as-asked", "found of what was asked", "", True, lambda m: m.agreement, lambda r: r.least_agreement),
)

RULES: tuple[str, ...] = tuple(rule.name for rule in _RULES)
"""Names of the rules, in the order in which they are judged."""

DEFAULT = Rules()


def judge(measures: Measures, rules: Rules = DEFAULT) -> list[Broken]:
    """The rules that a clip breaks; none for a good one."""
    broken = []
    for rule in _RULES:
        value, threshold = rule.value(measures), rule.threshold(rules)
        if value is None or threshold is None:
            continue
        if rule.name == "not-as-asked" and measures.asked < rules.least_asked:
            continue
        if value < threshold if rule.least else value > threshold:
            broken.append(Broken(rule.name, rule.what, value, threshold, rule.unit, rule.least))
    return broken
