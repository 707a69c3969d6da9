"""Files that are read whole, up to a size."""

from __future__ import annotations

import pytest

from npzschema.validator.bounded import UnreadError, read_whole


def test_all_of_it_up_to_the_size(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_whole(str(path), 5) == b"12345"
    with pytest.raises(UnreadError, match=r"^larger than 4 bytes$"):
        read_whole(str(path), 4)


@pytest.mark.parametrize(
    ("path", "why"), [("none", "no such file"), (".", "is a directory"), ("a\0b", "embedded null")]
)
def test_what_cannot_be_read_is_said_in_one_line(path, why):
    with pytest.raises(UnreadError, match=f"^cannot be read: {why}") as error:
        read_whole(path, 4)
    assert "\n" not in str(error.value)
