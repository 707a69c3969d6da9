"""The zip container, read strictly: every byte of the file belongs to a member, its descriptor or the directory.

Layout (PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5)::

    local header | data | [descriptor]   ... one a member, adjacent, from byte 0
    central directory
    [zip64 end record | zip64 locator]
    end record [comment]                 ... to the last byte
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .faults import Fault
from .member import STORED, Member, MemberReader
from .names import array_name, unsafe_name
from .source import ByteSource
from .zip_directory import Entry, directory
from .zip_end import end_record
from .zip_local import data_offset, member_end


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What is refused as a bomb.

    An archive may expand to ``expansion`` times its own size, and in any case to ``free`` bytes.
    Deflate itself reaches 1,032; mostly-empty float64 patterns about 100.
    """

    members: int = 1_000
    expansion: float = 250.0
    free: int = 1 << 28
    directory: int = 1 << 19


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """An opened archive. ``faults`` lists what is wrong without making it unreadable; ``exact``: read by zlib."""

    source: ByteSource
    members: tuple[Member, ...]
    faults: tuple[Fault, ...]
    exact: bool = False

    def reader(self, member: Member, *, ahead: bool = False) -> MemberReader:
        return MemberReader(self.source, member, exact=self.exact, ahead=ahead)


def open_archive(source: ByteSource, limits: Limits | None = None, *, exact: bool = False) -> Archive:
    """Read the directory and every local header; no member data.

    Raises:
        Fault: FILE-001, FILE-002, FILE-007, FILE-009 or FILE-011.
    """
    limits = limits or Limits()
    count, start, length = end_record(source)
    if count > limits.members:
        most = f"at most {limits.members:,}"
        raise Fault("FILE-009", f"has {count:,} members; {most} are read", expected=most, found=f"{count:,}")
    if length > limits.directory:
        most = f"at most {limits.directory:,}"
        raise Fault(
            "FILE-009", f"has a directory of {length:,} bytes; {most} are read", expected=most, found=f"{length:,}"
        )
    entries = directory(source.read(start, length), count)
    members = _members(source, entries, start)
    total = sum(member.size for member in members)
    allowed = max(limits.free, int(limits.expansion * source.size))
    if total > allowed:
        raise Fault(
            "FILE-009",
            f"expands from {source.size:,} to {total:,} bytes, beyond {allowed:,}",
            expected=f"at most {allowed:,} bytes",
            found=f"{total:,} bytes",
            about="expansion",
        )
    return Archive(source=source, members=members, faults=tuple(_name_faults(members)), exact=exact)


def _members(source: ByteSource, entries: list[Entry], end: int) -> tuple[Member, ...]:
    """Members in the directory's order, their local headers checked; ``end``: where the last must end."""
    members: dict[int, Member] = {}
    expected = 0
    by_offset = sorted(range(len(entries)), key=lambda index: entries[index].header)
    for rank, index in enumerate(by_offset):
        entry = entries[index]
        if entry.header != expected:
            what = (
                "overlaps the member before it" if entry.header < expected else "follows bytes that belong to no member"
            )
            raise Fault(
                "FILE-002",
                f"{what}: begins at byte {entry.header:,}",
                member=entry.name,
                expected=f"byte {expected:,}",
                found=f"byte {entry.header:,}",
            )
        limit = entries[by_offset[rank + 1]].header if rank + 1 < len(by_offset) else end
        offset = data_offset(source, entry, limit)
        expected = member_end(source, entry, offset + entry.compressed, limit)
        members[index] = Member(
            name=entry.name,
            method=entry.method,
            offset=offset,
            compressed=entry.compressed,
            size=entry.size,
            crc=entry.crc,
        )
        if entry.method == STORED and entry.compressed != entry.size:
            raise Fault(
                "FILE-007", f"stored, yet {entry.compressed:,} bytes for a size of {entry.size:,}", member=entry.name
            )
        if entry.size > 1040 * entry.compressed + 64:
            raise Fault(
                "FILE-007",
                f"claims {entry.size:,} bytes from {entry.compressed:,}: more than deflate can hold",
                member=entry.name,
            )
    if expected != end:
        raise Fault("FILE-002", f"{end - expected:,} bytes before the directory belong to no member")
    return tuple(members[index] for index in range(len(entries)))


def _name_faults(members: tuple[Member, ...]) -> Iterator[Fault]:
    seen: set[str] = set()
    told: set[str] = set()
    for member in members:
        key = array_name(member.name)
        if key in seen and key not in told:
            told.add(key)
            yield Fault(
                "FILE-004",
                f"two members are named {member.name}; readers differ in which they take",
                member=member.name,
            )
        seen.add(key)
        reason = unsafe_name(member.name)
        if reason:
            yield Fault("FILE-008", f"the name {reason}", member=member.name)
