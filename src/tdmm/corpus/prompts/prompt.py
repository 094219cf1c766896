"""`ClipPrompt`: one clip that is to be made, in structure and in words."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tdmm.acting.script import Script


class Scene(BaseModel):
    """How a clip is filmed: the video part of a prompt, as phrases that a generator's words are built from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    framing: str = Field(description="'head and shoulders centred, the frame remains steady'")
    lighting: str = Field(description="'soft window light from the left'")
    background: str = Field(description="'a plain grey wall'")


class Wording(BaseModel):
    """One way to say the face part, and who found it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    by: str = Field(description="name of the model, or 'rules'")


class ClipPrompt(BaseModel):
    """One clip that is to be made.

    The face part is the same for every generator; the words of the video part are made for each (`Scene`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clip_id: str = Field(description="unique within a corpus, letters, digits and hyphens")
    script: Script = Field(description="the truth that the words were made from")
    face: str = Field(description="what the face does, in words: subject, descriptor, intensity, side, motions")
    face_by: str = Field(default="rules", description="who put it so: name of the model, or 'rules'")
    paraphrases: tuple[Wording, ...] = Field(default=(), description="other ways to say the face part, for the corpus")
    scene: Scene
    family: str = Field(description="prompts that ask for the same combination; splits never divide a family")
    person: str = Field(description="who is filmed; splits never divide a person's clips where truth is at hand")
    seed: int = Field(ge=0, description="of the generator, this clip's own and not its batch's")
