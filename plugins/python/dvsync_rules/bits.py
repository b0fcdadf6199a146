"""Flags as bits, one a row, least significant bit first. Pure."""

from itertools import chain, islice
from typing import List, Sequence

_BYTES = [tuple(byte >> bit & 1 == 1 for bit in range(8)) for byte in range(256)]


def pack(flags: Sequence[bool]) -> bytes:
    """One bit a flag; those beyond the last are 0."""
    if not flags:
        return b""
    digits = "".join(["1" if flag else "0" for flag in reversed(flags)])
    return int(digits, 2).to_bytes((len(flags) + 7) // 8, "little")


def unpack(data: bytes, rows: int) -> List[bool]:
    """So many flags."""
    if len(data) * 8 < rows:
        raise ValueError(f"{len(data)} bytes of bits for {rows} rows")
    return list(islice(chain.from_iterable(map(_BYTES.__getitem__, data)), rows))
