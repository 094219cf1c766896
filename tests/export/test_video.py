from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tdmm import export
from tdmm.errors import FileProblem
from tdmm.motion.clip import FaceMotion


def decoded(path: Path) -> tuple[list[np.ndarray], Fraction]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        rate = stream.average_rate
        assert rate is not None
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)], rate


@pytest.mark.parametrize("fps", [25.0, 30.0, 30000 / 1001])
def test_every_frame_at_the_rate_of_the_motion(performance: FaceMotion, tmp_path: Path, fps: float) -> None:
    export.save(performance.with_(fps=fps), [tmp_path / "face.mp4"], size=63)
    frames, rate = decoded(tmp_path / "face.mp4")
    assert len(frames) == performance.frames
    assert float(rate) == pytest.approx(fps, rel=1e-4)
    assert frames[0].shape == (64, 64, 3)


def test_the_picture_moves_as_the_head_turns(performance: FaceMotion, tmp_path: Path) -> None:
    export.save(performance, [tmp_path / "front.mp4"], size=96)
    export.save(performance, [tmp_path / "left.mp4"], size=96, view="left")
    front, left = decoded(tmp_path / "front.mp4")[0], decoded(tmp_path / "left.mp4")[0]
    assert front[0].std() > 20
    assert np.abs(front[0].astype(int) - front[-1]).mean() > 3
    assert np.abs(front[0].astype(int) - left[0]).mean() > 3


def test_progress_is_told(performance: FaceMotion, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    export.save(performance, [tmp_path / "face.mp4"], size=32, progress=lambda done, of: told.append((done, of)))
    assert told == [(frame, 12) for frame in range(1, 13)]


def test_an_encoder_that_fails_leaves_nothing(
    performance: FaceMotion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise av.error.OSError(errno.ENOSPC, "No space left on device", "face.mp4")

    monkeypatch.setattr(av, "open", full)
    with pytest.raises(FileProblem, match="No space left on device"):
        export.save(performance, [tmp_path / "face.mp4"], size=32)
    assert list(tmp_path.iterdir()) == []
