"""The built-in generator shows the script, and says exactly what it showed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from video_clips import pictures, prompt

from tdmm.acting.actor import perform
from tdmm.corpus.video.backend import VideoFile, open_backend
from tdmm.corpus.video.rendered import Person, Scenery
from tdmm.face.channels import INDEX
from tdmm.motion.files import load

SMALL = {"name": "rendered", "width": 128, "height": 96}


def filmed(folder: Path, *asked: dict, **settings: int) -> list[VideoFile]:
    made = open_backend({**SMALL, **settings}).make([prompt(**each) for each in asked], folder)
    assert all(isinstance(each, VideoFile) for each in made)
    return made


def test_the_truth_is_the_script_on_the_person_who_is_filmed(tmp_path: Path) -> None:
    (clip,) = filmed(tmp_path, {})
    assert (clip.frames, clip.fps, clip.width, clip.height) == (25, 25.0, 128, 96)
    truth = load(clip.truth)
    acted = perform(prompt().script, prompt().seed).motion
    np.testing.assert_array_equal(truth.expression, acted.expression)
    np.testing.assert_array_equal(truth.identity, Person.named("ada").identity)
    assert truth.frames == clip.frames
    assert truth.expression[:, INDEX["mouthSmileLeft"]].max() > 0.2


def test_one_name_is_one_person_and_seeds_change_all_but_the_person(tmp_path: Path) -> None:
    same, again, other = filmed(tmp_path, {}, {"clip_id": "b", "seed": 8}, {"clip_id": "c", "person": "ben"})
    identities = [load(clip.truth).identity for clip in (same, again, other)]
    np.testing.assert_array_equal(identities[0], identities[1])
    assert np.abs(identities[0] - identities[2]).max() > 0.3
    assert same.provenance["scenery"] != again.provenance["scenery"]
    assert same.provenance["scenery"] == other.provenance["scenery"]
    assert same.provenance["colours"]["skin"] != other.provenance["colours"]["skin"]
    backgrounds = [pictures(clip.path)[0, 2, 2].astype(int) for clip in (same, again)]
    assert np.abs(backgrounds[0] - backgrounds[1]).max() > 10


def test_a_clip_does_not_depend_on_its_company(tmp_path: Path) -> None:
    folders = [tmp_path / "alone", tmp_path / "together"]
    for folder in folders:
        folder.mkdir()
    filmed(folders[0], {})
    filmed(folders[1], {"clip_id": "x", "seed": 3}, {})
    np.testing.assert_array_equal(*(pictures(folder / "clip-1.mp4") for folder in folders))


def test_skins_range_from_light_to_dark_and_faces_stand_out() -> None:
    people = [Person.named(f"p{number}") for number in range(40)]
    skins = np.array([person.colours["skin"] for person in people]).mean(1)
    assert skins.max() - skins.min() > 0.35
    assert all(person.asset().materials[0].srgb == person.colours["skin"] for person in people)
    sceneries = [Scenery.drawn(np.random.default_rng(seed)) for seed in range(40)]
    assert len({scenery.background for scenery in sceneries}) == 40


def test_sceneries_are_those_that_tracking_was_measured_with() -> None:
    """The figures in docs/tracking.md stand for these draws."""
    draw = np.random.default_rng(4101)
    draw.normal(size=(5, len(Person.named("ada").identity)))
    first = Scenery.drawn(draw)
    assert (first.camera.distance, first.camera.height_m) == pytest.approx((0.86183, 0.484366), abs=1e-5)
    assert first.background == pytest.approx((0.617285, 0.849089, 0.220654), abs=1e-5)
    assert first.lights[0].direction == pytest.approx((-0.915941, 0.904579, 0.75), abs=1e-5)
