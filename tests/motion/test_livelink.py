from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tdmm.errors import FileProblem, InvalidMotion, TdmmError
from tdmm.face.channels import ARKIT
from tdmm.motion import livelink, timecode
from tdmm.motion.clip import FaceMotion
from tdmm.motion.features import from_features
from tdmm.motion.timeline import resample

VALUES = livelink.COLUMNS[2:]


def table(count: int = 6, *, fps: float = 30, base: int = 60, **columns: float) -> list[list[str]]:
    """Rows of a file in which only the named columns are not zero."""
    row = [f"{columns.get(name, 0.0):.10f}" for name in VALUES]
    return [[timecode.write(3600 + index / fps, base), "61", *row] for index in range(count)]


def saved(path: Path, rows: list[list[str]], header: tuple[str, ...] = livelink.COLUMNS, join: str = ",") -> Path:
    path.write_text("\n".join(join.join(row) for row in [list(header), *rows]) + "\n")
    return path


def wave(frames: int = 80, fps: float = 25.0) -> FaceMotion:
    rng = np.random.default_rng(3)
    phase, speed = rng.random(58) * 6, rng.random(58) * 5
    time = np.arange(frames)[:, None] / fps
    values = 0.5 + 0.5 * np.sin(speed * time + phase)
    values[:, 52:] -= 0.5
    return from_features(values, fps=fps)


# The real file


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Path:
    path = shared_data / "alexdjulin_livelink" / "alex_rom_3.csv"
    if not path.is_file():
        pytest.skip("the real Live Link Face take is not here")
    return path


def test_the_apps_own_file_is_read(real: Path) -> None:
    motion = livelink.read(real)
    assert motion.fps == 30
    assert motion.seconds == pytest.approx(134.43, abs=0.01)
    assert motion.confidence is not None
    # Three frames are missing in the timecodes; the other 4,030 are rows.
    assert int((motion.confidence == 0).sum()) == 3
    assert motion.frames == 4033
    assert set(ARKIT) <= set(motion.channels)


def test_the_apps_own_file_survives_a_round_trip(real: Path, tmp_path: Path) -> None:
    livelink.write(livelink.read(real), tmp_path / "again.csv")
    before = [line.split(",") for line in real.read_text().splitlines()]
    after = [line.split(",") for line in (tmp_path / "again.csv").read_text().splitlines()]
    assert after[0] == before[0]
    tracked = [row for row in after[1:] if row[1] != "0"]
    assert [row[1:] for row in tracked] == [row[1:] for row in before[1:]]  # every digit of every value
    for row, other in zip(tracked, before[1:], strict=True):
        first, second = timecode.parse(row[0]), timecode.parse(other[0])
        assert abs((first.seconds - second.seconds) * 60 + first.frames - second.frames) < 0.005  # type: ignore[operator]


def test_eye_angles_of_the_app_have_the_signs_in_the_table(real: Path) -> None:
    motion = livelink.read(real)
    for side, right, left in (("Left", "In", "Out"), ("Right", "Out", "In")):
        yaw, pitch, roll = (motion.channel(f"{side.lower()}Eye{angle}") for angle in ("Yaw", "Pitch", "Roll"))
        look = {way: motion.channel(f"eyeLook{way}{side}") for way in ("In", "Out", "Up", "Down")}
        assert np.corrcoef(yaw, look[right] - look[left])[0, 1] > 0.97
        assert np.corrcoef(pitch, 0.61 * look["Down"] - 0.44 * look["Up"])[0, 1] > 0.999
        assert np.corrcoef(roll, yaw * pitch)[0, 1] > 0.999


def test_eye_angles_worked_out_are_close_to_the_apps(real: Path, tmp_path: Path) -> None:
    motion = livelink.read(real)
    bare = motion.with_(channels=ARKIT, expression=motion.in_order(ARKIT))
    livelink.write(bare, tmp_path / "bare.csv")
    again = livelink.read(tmp_path / "bare.csv")
    for name in livelink.EYES:
        # This performer's eyes rest 4 degrees outward, which no coefficient tells.
        assert np.std(again.channel(name) - motion.channel(name)) < np.deg2rad(1.5), name


# Our own


@pytest.mark.parametrize("fps", [24.0, 25.0, 29.97002997002997, 30.0, 50.0, 59.94005994005994, 60.0, 120.0])
def test_what_is_written_is_read_again(tmp_path: Path, fps: float) -> None:
    motion = wave(fps=fps, frames=150)
    livelink.write(motion, tmp_path / "take.csv")
    again = livelink.read(tmp_path / "take.csv")
    assert again.fps == pytest.approx(fps, rel=1e-9)
    assert again.frames == motion.frames
    assert np.abs(again.in_order(ARKIT) - motion.in_order(ARKIT)).max() < 1e-7
    assert np.abs(again.head - motion.head).max() < 1e-7


def test_head_signs_are_those_in_the_table(tmp_path: Path) -> None:
    path = saved(tmp_path / "take.csv", table(HeadPitch=0.1, HeadYaw=0.2, HeadRoll=0.3))
    motion = livelink.read(path)
    # Chin down; the file's yaw and roll are to the face's right and left: ours are the other way.
    assert motion.head[0].tolist() == pytest.approx([0.1, -0.2, -0.3])


def test_a_look_to_the_left_turns_both_eyes_left(tmp_path: Path) -> None:
    values = np.zeros((4, 58))
    values[:, [ARKIT.index("eyeLookOutLeft"), ARKIT.index("eyeLookInRight")]] = 0.5
    livelink.write(from_features(values), tmp_path / "take.csv")
    motion = livelink.read(tmp_path / "take.csv")
    assert motion.channel("leftEyeYaw")[0] == pytest.approx(-0.3)
    assert motion.channel("rightEyeYaw")[0] == pytest.approx(-0.3)
    assert "-0.0000000000" not in (tmp_path / "take.csv").read_text()


def test_resampled_motion_forgets_the_clock_of_its_file(tmp_path: Path) -> None:
    motion = livelink.read(saved(tmp_path / "a.csv", table(61)))
    livelink.write(resample(motion, 25), tmp_path / "b.csv")
    assert livelink.read(tmp_path / "b.csv").fps == 25


# Quirks


def test_lost_rows_hold_what_was_before_and_say_so(tmp_path: Path) -> None:
    rows = [*table(3, JawOpen=0.25), *table(6, JawOpen=0.5)[3:]]
    rows[0] = [rows[0][0], "0"]
    rows[3] = [rows[3][0], "0", *["0.0"] * 61]
    motion = livelink.read(saved(tmp_path / "take.csv", rows))
    assert motion.confidence is not None
    assert motion.confidence.tolist() == [0, 1, 1, 0, 1, 1]
    assert motion.channel("jawOpen").tolist() == [0.25, 0.25, 0.25, 0.25, 0.5, 0.5]
    livelink.write(motion, tmp_path / "again.csv")
    again = livelink.read(tmp_path / "again.csv")
    assert np.array_equal(again.expression, motion.expression)
    assert again.confidence is not None
    assert np.array_equal(again.confidence, motion.confidence)


def test_rows_left_out_leave_their_time(tmp_path: Path) -> None:
    rows = table(10)
    motion = livelink.read(saved(tmp_path / "take.csv", rows[:4] + rows[6:]))
    assert motion.frames == 10
    assert motion.confidence is not None
    assert np.flatnonzero(motion.confidence == 0).tolist() == [4, 5]


def test_byte_order_mark_line_ends_case_order_and_missing_eyes(tmp_path: Path) -> None:
    order = [0, 1, *range(53, 1, -1), 54, 55, 56]
    header = [livelink.COLUMNS[index] for index in order]
    header[1] = "BlendshapeCount"
    lines = [",".join(header)] + [",".join(row[index] for index in order) for row in table(5, TongueOut=0.5)]
    path = tmp_path / "take.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\r\n\r\n")
    motion = livelink.read(path)
    assert motion.channels == ARKIT
    assert motion.frames == 5
    assert motion.channel("tongueOut")[0] == 0.5


def test_fps_given_wins(tmp_path: Path) -> None:
    assert livelink.read(saved(tmp_path / "take.csv", table(5)), fps=24).fps == 24
    with pytest.raises(InvalidMotion, match="fps is 0"):
        livelink.read(tmp_path / "take.csv", fps=0)


# Bad input


def test_missing_columns_are_named(tmp_path: Path) -> None:
    header = tuple(name for name in livelink.COLUMNS if name not in {"JawOpen", "HeadYaw"})
    with pytest.raises(InvalidMotion, match=r"row 1 lacks the column\(s\) JawOpen, HeadYaw\. .*has 63 columns"):
        livelink.read(saved(tmp_path / "take.csv", table(), header))
    with pytest.raises(InvalidMotion, match="and 51 more"):
        livelink.read(saved(tmp_path / "take.csv", [["1", "2"]], ("a", "b")))


@pytest.mark.parametrize(
    ("cell", "said"),
    [("abc", "'abc' is not a number"), ("nan", "not a usable"), ("inf", "not a usable"), ("", "is missing")],
)
def test_a_bad_cell_is_found(tmp_path: Path, cell: str, said: str) -> None:
    rows = table()
    rows[2][livelink.COLUMNS.index("MouthClose")] = cell
    with pytest.raises(InvalidMotion, match=f"row 4, column MouthClose: .*{said}"):
        livelink.read(saved(tmp_path / "take.csv", rows))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (",".join(livelink.COLUMNS) + "\n", "no rows"),
        (";".join(livelink.COLUMNS) + "\n1;2\n", "separated by semicolons; commas are needed"),
        ("\t".join(livelink.COLUMNS) + "\n1\t2\n", "separated by tabs"),
        (",".join([*livelink.COLUMNS, "JawOpen"]) + "\n", "'jawopen' appears twice"),
    ],
)
def test_a_file_of_another_kind_says_what_it_is(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "take.csv"
    path.write_text(content)
    with pytest.raises(InvalidMotion, match=message):
        livelink.read(path)


def test_binary_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    for content in (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", b"PK\x03\x04\x00\x00"):
        path.write_bytes(content)
        with pytest.raises(InvalidMotion, match="is not text"):
            livelink.read(path)


def test_lost_everywhere_torn_row_and_bad_times(tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    with pytest.raises(InvalidMotion, match="lost in every row"):
        livelink.read(saved(path, [[row[0], "0"] for row in table()]))
    with pytest.raises(InvalidMotion, match=r"row 7, column .*is missing \(20 of 63"):
        livelink.read(saved(path, [*table()[:-1], table()[-1][:20]]))
    rows = table()
    rows[3][0] = "soon"
    with pytest.raises(InvalidMotion, match="row 5, column Timecode: 'soon' is not a timecode"):
        livelink.read(saved(path, rows))
    rows[3][0] = rows[0][0]
    with pytest.raises(InvalidMotion, match="row 5, column Timecode: is not later"):
        livelink.read(saved(path, rows))
    rows[3][0] = timecode.write(4 * 3600)
    with pytest.raises(InvalidMotion, match=r"row 5, column Timecode: .* s after the row before"):
        livelink.read(saved(path, rows[:4]))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such file"):
        livelink.read(tmp_path / "none.csv")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_a_motion_or_a_clear_error(tmp_path: Path, data: st.DataObject) -> None:
    rows = table(4)
    for _ in range(data.draw(st.integers(1, 3))):
        row = rows[data.draw(st.integers(0, 3))]
        row[data.draw(st.integers(0, len(row) - 1))] = data.draw(
            st.one_of(st.text(max_size=6), st.floats().map(str), st.sampled_from(["0", '"', ",", "00:00:00:00.000"]))
        )
    path = tmp_path / "take.csv"
    path.write_bytes("\n".join(",".join(row) for row in [list(livelink.COLUMNS), *rows]).encode("utf-8", "replace"))
    with contextlib.suppress(TdmmError):
        assert np.isfinite(livelink.read(path).expression).all()
