"""FLAME files are read whole, and what is not one is refused with a reason."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from flame_models import Ch, as_published, pickled, pickled_by_python_2, synthetic, write

from tdmm.errors import ArtifactProblem, FileProblem, UnknownFormat
from tdmm.face.flame_file import read_flame


def test_a_pickle_of_python_2_is_read(tmp_path: Path) -> None:
    arrays = synthetic()
    content = pickled_by_python_2(as_published(arrays))
    for name in (
        b"cchumpy.ch\nCh\n",
        b"cscipy.sparse.csc\ncsc_matrix\n",
        b"cnumpy.core.multiarray\n",
        b"c__builtin__\n",
    ):
        assert name in content, "the test's file is not written as the published ones are"
    assert b"_codecs" not in content
    path = tmp_path / "generic_model.pkl"
    path.write_bytes(content)
    file = read_flame(path)
    np.testing.assert_allclose(file.template, arrays["v_template"], atol=1e-7)
    np.testing.assert_allclose(file.shapedirs, arrays["shapedirs"], atol=1e-7)
    np.testing.assert_allclose(file.posedirs, arrays["posedirs"], atol=1e-7)
    np.testing.assert_allclose(file.joint_regressor, arrays["J_regressor"], atol=1e-7)
    np.testing.assert_allclose(file.weights, arrays["weights"], atol=1e-7)
    np.testing.assert_array_equal(file.faces, arrays["f"])
    assert file.parents == (-1, 0, 1, 1, 1)
    assert file.version == "2020"


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("module", ["scipy.sparse.csc", "scipy.sparse._csc"])
def test_every_protocol_and_scipy_gives_the_same(tmp_path: Path, protocol: int, module: str) -> None:
    arrays = synthetic(vertices=9, faces=4)
    path = write(tmp_path / "flame.pkl", arrays, partial(pickled, protocol=protocol, scipy_module=module))
    plain = read_flame(write(tmp_path / "flame.npz", arrays))
    file = read_flame(path)
    for name in ("template", "shapedirs", "posedirs", "joint_regressor", "weights", "faces"):
        np.testing.assert_array_equal(getattr(file, name), getattr(plain, name))
    assert file.parents == plain.parents


def test_arrays_are_read_only(tmp_path: Path) -> None:
    file = read_flame(write(tmp_path / "flame2023_Open.npz", synthetic()))
    assert file.version == "2023 Open"
    with pytest.raises(ValueError, match="read-only"):
        file.template[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        file.faces[0, 0] = 1


def test_body_models_and_other_files_are_named(tmp_path: Path) -> None:
    body = synthetic()
    body["kintree_table"] = np.zeros((2, 24), np.uint32)
    with pytest.raises(ArtifactProblem, match=r"24 joints: it is SMPL, a body\. A FLAME head"):
        read_flame(write(tmp_path / "body.npz", body))
    np.savez(tmp_path / "motion.npz", expression=np.zeros((2, 3)))
    with pytest.raises(ArtifactProblem, match=r"lacks v_template, shapedirs.*holds expression.*Give generic_model"):
        read_flame(tmp_path / "motion.npz")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "shapedirs",
            np.zeros((30, 3, 10)),
            r"'shapedirs' has shape \(30, 3, 10\).*\(30, 3, 400\).*all its components",
        ),
        ("weights", np.zeros((29, 5)), r"'weights' has shape \(29, 5\)"),
        ("weights", np.zeros((30, 5)), "'weights' of vertex 0 do not sum to 1"),
        ("v_template", np.full((30, 3), np.nan), "'v_template' holds a value that is not finite"),
        ("f", np.full((4, 3), 30), "'f' names vertices that are not there; 30 are"),
        ("f", np.full((4, 3), 0.5), "'f' names vertices that are not there"),
        ("f", np.zeros((0, 3)), r"'f' has shape \(0, 3\)"),
        ("kintree_table", np.array([[-1, 0, 1, 4, 1], [0, 1, 2, 3, 4]]), "no tree of joints"),
        ("kintree_table", np.array(5), r"'kintree_table' has shape \(\)"),
        ("v_template", np.array(["a"]), "'v_template': cannot be read"),
    ],
)
def test_each_wrong_array_is_named(tmp_path: Path, name: str, value: np.ndarray, said: str) -> None:
    path = write(tmp_path / "flame.npz", {**synthetic(), name: value})
    with pytest.raises(ArtifactProblem, match=said):
        read_flame(path)


def test_a_missing_array_is_named(tmp_path: Path) -> None:
    arrays = synthetic()
    del arrays["posedirs"]
    with pytest.raises(ArtifactProblem, match="lacks posedirs"):
        read_flame(write(tmp_path / "flame.npz", arrays))


def test_an_unevaluated_chumpy_expression_says_what_to_do(tmp_path: Path) -> None:
    content = as_published(synthetic())
    product = Ch(np.zeros(3))
    product.__dict__ = {"a": Ch(np.zeros(3)), "b": Ch(np.zeros(3))}
    path = tmp_path / "flame.pkl"
    path.write_bytes(pickled({**content, "weights": product}))
    with pytest.raises(ArtifactProblem, match=r"'weights': .*chumpy expression.*save an \.npz"):
        read_flame(path)


def test_wrong_paths_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such file"):
        read_flame(tmp_path / "flame.pkl")
    (tmp_path / "flame.obj").write_text("v 0 0 0")
    with pytest.raises(UnknownFormat, match=r"readable: \.pkl"):
        read_flame(tmp_path / "flame.obj")
