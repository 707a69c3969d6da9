"""convert: the input is never touched, and one that cannot be trusted gives nothing."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from npzschema.generator import GeneratorError, convert
from npzschema.generator import publish as publishing
from npzschema.validator.engine import validate

from .making import (
    arrays_of,
    command,
    legacy,
    refused,
    same,
    save,
)


class TestTheInputIsSafe:
    def test_behind_a_link_two_dots_are_another_folder(self, tmp_path, monkeypatch, canonical):
        (tmp_path / "far" / "deep").mkdir(parents=True)
        save(tmp_path / "far" / "in.npz", legacy(canonical))
        save(tmp_path / "in.npz", canonical | {"xcoords": canonical["xcoords"] + 1})
        (tmp_path / "link").symlink_to(tmp_path / "far" / "deep")
        monkeypatch.chdir(tmp_path)
        same(arrays_of(convert("link/../in.npz", "out.npz").path), canonical)

    @pytest.mark.parametrize("link", ["itself", "dotted", "symbolic", "hard"])
    @pytest.mark.parametrize("option", ["target", "--metadata-out"])
    def test_no_name_of_it_is_written_to(self, tmp_path, canonical, link, option):
        source = save(tmp_path / "in.npz", legacy(canonical))
        other = tmp_path / "other.npz"
        if link == "itself":
            other = source
        elif link == "dotted":
            (tmp_path / "folder").mkdir()
            other = tmp_path / "folder" / ".." / "in.npz"
        elif link == "symbolic":
            other.symlink_to(source)
        else:
            os.link(source, other)
        argv = [other, "--force"] if option == "target" else [tmp_path / "out.npz", "--metadata-out", other, "--force"]
        assert "is the input itself" in refused(tmp_path, "convert", source, *argv)

    def test_two_outputs_need_two_names(self, tmp_path, canonical):
        source = save(tmp_path / "in.npz", canonical)
        line = refused(tmp_path, "convert", source, tmp_path / "out.npz", "--metadata-out", tmp_path / "." / "out.npz")
        assert "is named for two outputs" in line

    def test_an_existing_output_needs_force(self, tmp_path, canonical):
        source = save(tmp_path / "in.npz", legacy(canonical))
        for name in ("out.npz", "out.json"):
            (tmp_path / name).write_text("old")
            argv = ("convert", source, tmp_path / "out.npz", "--metadata-out", tmp_path / "out.json")
            assert "exists already; --force replaces it" in refused(tmp_path, *argv)
        assert command(*argv, "--force")[0] == 0
        assert validate(tmp_path / "out.npz").ok

    @pytest.mark.parametrize("how", ["overwritten", "replaced", "gone"])
    def test_a_source_that_changes_meanwhile_gives_nothing(self, tmp_path, monkeypatch, canonical, how):
        source = save(tmp_path / "in.npz", legacy(canonical))
        other = save(tmp_path / "other.npz", legacy(canonical | {"xcoords": canonical["xcoords"] + 1}))
        real = publishing.validate

        def change(*arguments):
            if how == "gone":
                source.unlink(missing_ok=True)
            elif how == "replaced":
                if other.exists():
                    os.replace(other, source)
            else:
                os.utime(source, ns=(1, 1))
            return real(*arguments)

        monkeypatch.setattr(publishing, "validate", change)
        with pytest.raises(GeneratorError, match=r"was changed since it was checked|cannot be read"):
            convert(source, tmp_path / "out.npz", metadata_out=tmp_path / "out.json")
        assert set(os.listdir(tmp_path)) <= {"in.npz", "other.npz"}

    @pytest.mark.parametrize("form", ["as it is", "scan axis last", "Fortran order", "double"])
    @pytest.mark.parametrize("name", ["diffraction", "unknown"])
    def test_damaged_data_never_becomes_a_sound_file(self, tmp_path, canonical, form, name):
        one = canonical["diffraction"]
        # As many pixels as a whole number of tiles: then the last item comes before the end of the stream is seen.
        stored = {
            "as it is": one,
            "scan axis last": np.ascontiguousarray(one.transpose(1, 2, 0)),
            "Fortran order": np.asfortranarray(one),
            "double": one.astype(np.float64),
        }[form]
        arrays = canonical | {name: stored}
        source = save(tmp_path / "in.npz", arrays, compressed=False)
        raw = bytearray(source.read_bytes())
        items = stored.tobytes(order="A")
        at = bytes(raw).rfind(items)
        assert at > 0
        raw[at + len(items) // 2] ^= 1
        source.write_bytes(raw)
        assert f"FILE-003 {name}.npy" in refused(tmp_path, "convert", source, tmp_path / "out.npz").replace(": ", " ")

    def test_a_source_that_its_own_sidecar_disowns(self, tmp_path, canonical):
        """As --dry-run says: not only where something else makes its values be read."""
        source = save(tmp_path / "in.npz", legacy(canonical))
        (tmp_path / "in.json").write_text(json.dumps({"sha256_checksum": "0" * 64}))
        assert "META-003" in refused(tmp_path, "convert", source, tmp_path / "out.npz")
        assert "in the way: META-003" in command("convert", source, "--dry-run")[1]

    def test_the_stale_sidecar_of_another_file_is_told_before(self, tmp_path, canonical):
        source = save(tmp_path / "in.npz", legacy(canonical))
        (tmp_path / "out.json").write_text(json.dumps({"sha256_checksum": "0" * 64}))
        assert "out.json beside it is another file's sidecar" in refused(
            tmp_path, "convert", source, tmp_path / "out.npz"
        )
        (tmp_path / "out.json").write_text(json.dumps({"my notes": 1}))
        assert command("convert", source, tmp_path / "out.npz")[0] == 0
        assert validate(tmp_path / "out.npz").ok


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "empty", "npy", "cut short"])
def test_sources_that_cannot_be_read(tmp_path, canonical, kind):
    source = tmp_path / "in.npz"
    if kind == "folder":
        source.mkdir()
    elif kind == "pipe":
        os.mkfifo(source)
    elif kind == "empty":
        source.touch()
    elif kind == "npy":
        with source.open("wb") as file:
            np.save(file, np.arange(3))
    elif kind == "cut short":
        save(source, canonical)
        source.write_bytes(source.read_bytes()[:-400])
    assert "in.npz: cannot be read: FILE-00" in refused(tmp_path, "convert", source, tmp_path / "out.npz")


def test_no_target_is_one_line(tmp_path, canonical):
    assert refused(tmp_path, "convert", save(tmp_path / "in.npz", canonical)) == "generate-npz: no output named\n"
