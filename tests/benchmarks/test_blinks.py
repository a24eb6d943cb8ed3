"""The benchmark of blinks on made recordings."""

import json

import pytest

from benchmarks import blinks


def write(folder, name, lines, keyed):
    (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    (folder / f"{name}_no.json").write_text(json.dumps(keyed))


def test_pairs_are_one_to_one_and_within_three_frames():
    assert blinks.matched([10, 20, 30], [7, 13, 24, 33]) == 2
    assert blinks.matched([10, 12], [11]) == 1
    assert blinks.matched([10], [9, 11]) == 1
    assert blinks.matched([], [1]) == 0
    assert blinks.scores([10, 20], [10]) == {"f1": 2 / 3, "precision": 1.0, "recall": 0.5}


def test_a_recording_is_read_and_its_blinks_are_found(tmp_path, capsys, monkeypatch):
    lines = ["x"] * 3 + ["0.28"] * 897
    keyed = list(range(100, 900, 100))
    for number in keyed:
        lines[number - 1 : number + 2] = ["* 0.18", "0.17", "0.22"]
    write(tmp_path, "made_1m", lines, keyed)
    recording = blinks.read(tmp_path / "made_1m.txt")
    assert recording.rate_hz == pytest.approx(15.0)
    assert recording.ratios[:4] == [None, None, None, 0.28]
    assert recording.keyed == recording.marked == keyed
    assert sorted(blinks.found(recording.ratios, 15.0)) == keyed
    file = tmp_path / "figures.json"
    monkeypatch.setattr("sys.argv", ["blinks", str(tmp_path), "--json", str(file)])
    blinks.main()
    assert json.loads(file.read_text())["made_1m.ours.f1"] == 1.0
    assert "8 blinks keyed, 8 found" in capsys.readouterr().out


def test_a_name_without_a_length_is_refused(tmp_path):
    write(tmp_path, "made", ["0.3"], [])
    with pytest.raises(ValueError, match="minutes"):
        blinks.read(tmp_path / "made.txt")
