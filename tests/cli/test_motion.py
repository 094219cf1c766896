from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from tdmm.cli import motion as commands
from tdmm.errors import FileProblem, InvalidInput, InvalidMotion, TdmmError, UnknownFormat
from tdmm.motion.features import from_features
from tdmm.motion.files import load, write_npz


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    application = typer.Typer()
    commands.register(application)
    return application


@pytest.fixture
def take(tmp_path: Path) -> Path:
    values = np.zeros((30, 58))
    values[:, 20] = np.linspace(0, 1, 30)
    folder = tmp_path / "in"
    folder.mkdir()
    write_npz(from_features(values, fps=30, text="a funnel"), folder / "take.npz")
    return folder / "take.npz"


def run(app: typer.Typer, *arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refused(app: typer.Typer, *arguments: object) -> TdmmError:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, TdmmError), result.output
    return result.exception


def test_export_to_several_formats(app: typer.Typer, take: Path, tmp_path: Path) -> None:
    said = run(app, "export", take, tmp_path / "a.csv", tmp_path / "a.json")
    assert "1.0 s at 30 fps" in said
    assert load(tmp_path / "a.csv").fps == 30


def test_export_at_another_rate(app: typer.Typer, take: Path, tmp_path: Path) -> None:
    run(app, "export", take, tmp_path / "a.npz", "--fps", 25)
    again = load(tmp_path / "a.npz")
    assert (again.fps, again.frames, again.text) == (25, 25, "a funnel")
    for fps in (0, -25):
        assert isinstance(refused(app, "export", take, tmp_path / "b.npz", f"--fps={fps}"), InvalidMotion)
    assert not (tmp_path / "b.npz").exists()


def test_render_a_part_from_the_side(app: typer.Typer, take: Path, tmp_path: Path) -> None:
    said = run(
        app, "render", take, "-o", tmp_path / "a.png", "--size", 48, "--start", 0.2, "--end", 0.6, "--view", "left"
    )
    assert "0.4 s" in said
    assert (tmp_path / "a.png").stat().st_size > 0


def test_act_performs_a_script(app: typer.Typer, tmp_path: Path) -> None:
    script = tmp_path / "smirk.yaml"
    script.write_text("seconds: 2\ntimeline:\n  - {do: smirk, at: 0.4, for: 1}\n")
    run(app, "act", script, "-o", tmp_path / "a.npz", tmp_path / "a.csv", "--seed", 3)
    assert load(tmp_path / "a.npz").seconds == pytest.approx(2)
    assert load(tmp_path / "a.csv").frames == 50


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("export", "TAKE", "OUT/a.gbl"), UnknownFormat),
        (("export", "TAKE", "OUT/a.npz", "OUT/none/a.npz"), FileProblem),
        (("export", "OUT/missing.csv", "OUT/a.npz"), FileProblem),
        (("export", "OUT/take.fbx", "OUT/a.npz"), UnknownFormat),
        (("render", "TAKE", "-o", "OUT/a.glb"), UnknownFormat),
        (("render", "TAKE", "-o", "OUT/a.png", "--size", "1"), InvalidInput),
        (("render", "TAKE", "-o", "OUT/a.png", "--view", "above"), InvalidInput),
        (("render", "TAKE", "-o", "OUT/a.png", "--start", "9"), InvalidMotion),
        (("act", "OUT/none.yaml", "-o", "OUT/a.xyz"), UnknownFormat),
    ],
)
def test_bad_input_is_one_message_and_no_file(
    app: typer.Typer, take: Path, tmp_path: Path, arguments: tuple[str, ...], kind: type[TdmmError]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    filled = [argument.replace("TAKE", str(take)).replace("OUT", str(out)) for argument in arguments]
    assert isinstance(refused(app, *filled), kind)
    assert list(out.iterdir()) == []


def test_help_teaches_with_an_example(app: typer.Typer) -> None:
    for command in ("act", "export", "render"):
        assert "Example: tdmm" in run(app, command, "--help")


def test_export_to_another_rig_and_back(app: typer.Typer, take: Path, tmp_path: Path, shared_data: Path) -> None:
    rig = f"linear:{shared_data / 'ict_facekit'}"
    said = run(app, "export", take, tmp_path / "ict.npz", "--rig", rig)
    assert "arkit to ict_facekit: the face is" in said
    assert "mm at worst" in said
    assert load(tmp_path / "ict.npz").rig == "ict_facekit"
    run(app, "export", tmp_path / "ict.npz", tmp_path / "again.csv", "--from", rig)
    assert load(tmp_path / "again.csv").frames == 30
    assert isinstance(refused(app, "export", take, tmp_path / "ict.glb", "--rig", rig), FileProblem)
    error = refused(app, "export", tmp_path / "ict.npz", tmp_path / "ict.glb")
    assert isinstance(error, FileProblem)
    assert "--rig arkit --from linear:FOLDER" in str(error)


def test_export_refuses_rigs_that_are_none(app: typer.Typer, take: Path, tmp_path: Path) -> None:
    assert "Did you mean 'flame'" in str(refused(app, "export", take, tmp_path / "a.npz", "--rig", "flme:x"))
    assert isinstance(refused(app, "export", take, tmp_path / "a.npz", "--rig", "flame:none.pkl"), FileProblem)
    assert not list(tmp_path.glob("a.*"))


def test_motions_of_other_rigs_are_not_drawn(app: typer.Typer, take: Path, tmp_path: Path) -> None:
    write_npz(load(take).with_(rig="flame"), tmp_path / "flame.npz")
    for command in (
        ["export", tmp_path / "flame.npz", tmp_path / "a.png"],
        ["render", tmp_path / "flame.npz", "-o", tmp_path / "a.png"],
    ):
        assert "--rig arkit --from flame:PATH" in str(refused(app, *command))
    run(app, "export", take, tmp_path / "same.npz", "--rig", "arkit")
    assert (load(tmp_path / "same.npz").expression == load(take).expression).all()
