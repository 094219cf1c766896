from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.acting.lexicon import load
from tdmm.corpus.recordings.listing import list_recordings
from tdmm.corpus.recordings.manifest import write_manifest
from tdmm.corpus.recordings.mead import EMOTIONS
from tdmm.corpus.recordings.recording import Recording, clip_id_of, with_ids
from tdmm.errors import FileProblem, InvalidInput


def videos(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"not looked at here")


def test_a_folder_is_listed_whatever_its_names_are(tmp_path: Path) -> None:
    videos(tmp_path, "b/Take 10.MP4", "b/Ähem, 2.mov", "a/日本.webm", "a/.hidden.mp4", "notes.txt")
    found = list_recordings(tmp_path).recordings
    assert [(each.clip_id, each.path.name) for each in found] == [
        ("a", "日本.webm"), ("b-take-10", "Take 10.MP4"), ("b-ahem-2", "Ähem, 2.mov"),
    ]  # fmt: skip


def test_names_that_are_spelled_alike_stay_apart_whatever_else_is_there(tmp_path: Path) -> None:
    videos(tmp_path, "a b.mp4", "a-b.mp4", "c.mp4")
    first = {each.path.name: each.clip_id for each in list_recordings(tmp_path).recordings}
    assert len(set(first.values())) == 3
    assert first["c.mp4"] == "c"
    videos(tmp_path, "A_B.mp4")
    again = {each.path.name: each.clip_id for each in list_recordings(tmp_path).recordings}
    assert {name: again[name] for name in first} == first


@settings(max_examples=50)
@given(st.lists(st.text(max_size=120), max_size=12))
def test_ids_are_unique_and_plain(names: list[str]) -> None:
    made = [each.clip_id for each in with_ids((name, Recording("", Path("x"))) for name in names)]
    assert len(set(made)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each) and len(each) <= 90 for each in made)
    unique = list(dict.fromkeys(names))
    one = {
        name: each.clip_id
        for name, each in zip(unique, with_ids((n, Recording("", Path("x"))) for n in unique), strict=True)
    }
    other = with_ids((name, Recording("", Path("x"))) for name in reversed(unique))
    assert [each.clip_id for each in reversed(other)] == [one[name] for name in unique]


def test_long_names_keep_their_beginning() -> None:
    assert clip_id_of("take " * 60).startswith("take-take-")
    assert clip_id_of("take " * 60) != clip_id_of("take " * 61)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_manifest_says_what_is_known(tmp_path: Path, kind: str) -> None:
    videos(tmp_path, "in/one.mp4", "two.mp4")
    path = tmp_path / f"list.{kind}"
    if kind == "csv":
        with path.open("w", newline="") as handle:
            table = csv.writer(handle)
            table.writerow(["Path", "person", "caption", "labels", "license"])
            table.writerow(["in/one.mp4", "ann", "She smiles, then nods.", "emotion=happy; level=2", "CC BY 4.0"])
            table.writerow(["two.mp4", "", "", "", ""])
    else:
        rows = [
            {"path": "in/one.mp4", "person": "ann", "caption": ["She smiles, then nods."], "licence": "CC BY 4.0",
             "labels": {"emotion": "happy", "level": 2}},
            {"path": "two.mp4", "person": None},
        ]  # fmt: skip
        path.write_text("\n".join(map(json.dumps, rows)))
    one, two = list_recordings(path).recordings
    assert (one.clip_id, one.person, one.texts) == ("in-one", "ann", ("She smiles, then nods.",))
    assert (one.labels, one.licence) == ({"emotion": "happy", "level": "2"}, "CC BY 4.0")
    assert (two.clip_id, two.person, two.texts, two.labels) == ("two", "", (), {})
    assert two.job().facts["recordings"]["person"] == "two"
    assert one.job().files["video"] == tmp_path / "in" / "one.mp4"


def test_a_manifest_that_is_written_reads_back(tmp_path: Path) -> None:
    videos(tmp_path, "clips/a.mp4")
    listed = Recording("clips-a", tmp_path / "clips" / "a.mp4", "ann", ("Smiles.", "A smile."), {"e": "1"}, "MIT", "g")
    write_manifest((listed,), tmp_path / "m.jsonl")
    assert list_recordings(tmp_path / "m.jsonl").recordings == (listed,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path\nnone.mp4\n", r"line 2: there is no video .*none\.mp4"),
        ("path,emotoin\nx.mp4,sad\n", r"line 2: unknown field 'emotoin'"),
        ("path,labels\nx.mp4,sad\n", r"write them as emotion=angry"),
        ("path\nx.mp4,sad\n", r"more columns than the header"),
        ("person\nann\n", r"line 2: has no 'path'"),
        ("", r"lists no video"),
    ],
)
def test_a_bad_csv_says_where(tmp_path: Path, text: str, message: str) -> None:
    videos(tmp_path, "x.mp4")
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(InvalidInput, match=message):
        list_recordings(tmp_path / "m.csv")


@pytest.mark.parametrize(
    ("line", "message"),
    [("{", "line 1: is no JSON"), ("[1]", "line 1: an object is needed"), ('{"path": 3}', "'path' must be words"),
     ('{"path": "x.mp4", "labels": [1]}', "'labels' must be an object"),
     ('{"path": "x.mp4", "caption": [1]}', "'caption' must be words"), ("[" * 5000, "is no JSON")],
)  # fmt: skip
def test_a_bad_jsonl_says_where(tmp_path: Path, line: str, message: str) -> None:
    videos(tmp_path, "x.mp4")
    (tmp_path / "m.jsonl").write_text(line)
    with pytest.raises(InvalidInput, match=message):
        list_recordings(tmp_path / "m.jsonl")


@settings(max_examples=25)
@given(st.binary(max_size=200))
def test_whatever_a_manifest_holds_it_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    folder = tmp_path_factory.mktemp("junk")
    for kind in ("csv", "jsonl"):
        (folder / f"m.{kind}").write_bytes(junk)
        with pytest.raises((InvalidInput, FileProblem)):
            list_recordings(folder / f"m.{kind}")


def test_mead_says_who_how_and_how_strongly(tmp_path: Path) -> None:
    videos(
        tmp_path,
        "M003/video/front/angry/level_1/001.mp4",
        "W009/video/left_30/surprised/level_3/012.mp4",
        "W009/video/front/neutral/level_1/002.mp4",
        "W009/extra.mp4",
    )
    listing = list_recordings(tmp_path)
    angry, neutral, surprised = listing.recordings
    assert (angry.clip_id, angry.person) == ("mead-m003-front-angry-1-001", "M003")
    assert angry.labels == {"view": "front", "emotion": "angry", "level": "1", "degree": "slight", "family": "anger"}
    assert angry.texts == ("A man looks slightly angry while speaking.",)
    assert surprised.texts == ("A woman looks very surprised while speaking.",)
    assert surprised.labels["view"] == "left_30"
    assert "family" not in neutral.labels
    assert neutral.texts == ("A woman speaks with a neutral face.",)
    assert len(listing.left_out) == 1
    assert "extra.mp4" in listing.left_out[0]


def test_mead_may_be_given_one_speaker_at_a_time(tmp_path: Path) -> None:
    videos(tmp_path / "M003", "video/front/sad/level_2/001.mp4")
    (found,) = list_recordings(tmp_path / "M003").recordings
    assert (found.person, found.labels["family"]) == ("M003", "sadness")


def test_the_families_of_mead_are_in_the_lexicon() -> None:
    assert {family for family, _ in EMOTIONS.values()} - {""} <= set(load().families)


def test_released_json_of_many_kinds_is_understood(tmp_path: Path) -> None:
    videos(
        tmp_path,
        "prompt_1/0000_happy_subtle.mp4",
        "prompt_1/00019_ Emotion: sad.mp4",
        "prompt_2/0002_blink.mp4",
        "prompt_2/0003_pout.mp4",
        "prompt_3/0004_grin.mp4",
    )
    listed = {"data": [{"video_path": "/old/disk/prompt_1/0000_happy_subtle.mp4", "prompt": "A woman smiles subtly.",
                        "paraphrases": ["She gives a subtle smile."], "gender": "female"}]}  # fmt: skip
    (tmp_path / "all.json").write_text(json.dumps(listed))
    (tmp_path / "more.json").write_text(json.dumps({"00019_ Emotion: sad": ["A man looks sad."]}))
    (tmp_path / "prompt_2" / "0002_blink.json").write_text(json.dumps({"text": "He blinks twice.", "fps": 25}))
    (tmp_path / "lines.jsonl").write_text(json.dumps({"id": "0003_pout", "caption": "She pouts."}) + "\n")
    listing = list_recordings(tmp_path)
    texts = {each.path.stem: each.texts for each in listing.recordings}
    assert texts == {
        "0000_happy_subtle": ("A woman smiles subtly.", "She gives a subtle smile."),
        "00019_ Emotion: sad": ("A man looks sad.",),
        "0002_blink": ("He blinks twice.",),
        "0003_pout": ("She pouts.",),
        "0004_grin": (),
    }
    labels = {each.path.stem: each.labels for each in listing.recordings}
    assert labels["0000_happy_subtle"] == {"asked": "happy", "asked_degree": "subtle", "gender": "female"}
    assert labels["00019_ Emotion: sad"] == {"asked": "sad"}
    assert [each for each in listing.left_out if "0004_grin" in each]


def test_a_name_that_may_be_several_videos_is_not_guessed(tmp_path: Path) -> None:
    videos(tmp_path, "one/0000.mp4", "two/0000.mp4")
    said = [{"video": "0000.mp4", "text": "Somebody smiles."}, {"video": "two/0000.mp4", "text": "Somebody frowns."}]
    (tmp_path / "said.json").write_text(json.dumps(said))
    listing = list_recordings(tmp_path)
    assert [each.texts for each in listing.recordings] == [(), ("Somebody frowns.",)]
    assert "1 of its entries name no video that is here, or one of several" in listing.left_out[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "is no JSON"), ("[]", "words for a video"), ('[{"video": "a.mp4", "words": "hm"}]', "words for a video"),
     ('{"other": 3}', "words for a video"), ('[{"video": "z.mp4", "text": "hm"}]', "no video that is here")],
)  # fmt: skip
def test_released_json_without_words_says_what_is_looked_for(tmp_path: Path, content: str, message: str) -> None:
    videos(tmp_path, "a.mp4")
    (tmp_path / "said.json").write_text(content)
    with pytest.raises(InvalidInput, match=message):
        list_recordings(tmp_path)


def test_released_videos_without_json_say_so(tmp_path: Path) -> None:
    videos(tmp_path, "a.mp4")
    with pytest.raises(InvalidInput, match=r"holds 1 video\(s\) and no json"):
        list_recordings(tmp_path, "released")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["video", "text", "data", "a", "a.mp4"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=40)
@given(_JSON)
def test_any_json_is_understood_or_refused(tmp_path_factory: pytest.TempPathFactory, content: object) -> None:
    folder = tmp_path_factory.mktemp("released")
    videos(folder, "a.mp4")
    (folder / "said.json").write_text(json.dumps(content))
    try:
        (found,) = list_recordings(folder).recordings
    except InvalidInput:
        return
    assert found.texts
    assert all(isinstance(text, str) and text for text in found.texts)


def test_what_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such file"):
        list_recordings(tmp_path / "none.csv")
    with pytest.raises(InvalidInput, match="holds no video"):
        list_recordings(tmp_path)
    with pytest.raises(InvalidInput, match="Did you mean 'mead'"):
        list_recordings(tmp_path, "meat")  # type: ignore[arg-type]
    videos(tmp_path, "x.mp4")
    with pytest.raises(InvalidInput, match="M003/video/front"):
        list_recordings(tmp_path, "mead")
