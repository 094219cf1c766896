"""A rendered preview as `.mp4`: H.264, 4:2:0, the motion's own frame rate."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from tdmm.errors import FileProblem
from tdmm.export.formats import ExportOptions
from tdmm.export.pictures import pictures
from tdmm.files import written_aside
from tdmm.motion.clip import FaceMotion

_QUALITY = "20"


def write_mp4(motion: FaceMotion, path: Path, options: ExportOptions) -> None:
    """Render every frame and encode it. An odd size becomes the next even one, as H.264 needs.

    Raises:
        InvalidMotion: another rig, or a missing ARKit channel.
        FileProblem: the folder cannot be written, or the disk is full; nothing is left behind.
    """
    size = options.size + options.size % 2
    even = ExportOptions(size, options.view, options.progress)
    rate = Fraction(motion.fps).limit_denominator(1001)
    with written_aside(path) as temporary:
        try:
            with av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"}) as container:
                stream = container.add_stream("libx264", rate=rate, options={"crf": _QUALITY, "preset": "veryfast"})
                stream.width = stream.height = size
                stream.pix_fmt = "yuv420p"
                for done, picture in enumerate(pictures(motion, even), start=1):
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                    if options.progress is not None:
                        options.progress(done, motion.frames)
                container.mux(stream.encode())
        except av.FFmpegError as error:
            raise FileProblem(
                f"{path}: the video could not be written ({error.strerror or error}); nothing was left behind."
            ) from error
