"""The wire format of protobuf, taken apart and put together again, wrong sizes and all.

Source: the encoding guide of the Protocol Buffers documentation.
"""

from dataclasses import dataclass
from random import Random

from tests.fuzz.mutate_bytes import ODD_INTEGERS

VARINT, EIGHT, SIZED, FOUR = 0, 1, 2, 5
FIXED = {EIGHT: 8, FOUR: 4}


@dataclass
class Field:
    """One field of a message: a number, bytes, or a message of its own.

    claims  the size that is written in front of it, where it is not its own.
    """

    number: int
    wire: int
    value: "int | bytes | list[Field]"
    claims: int | None = None


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; negative numbers as 64 bits of two's complement."""
    value &= 2**64 - 1
    packed = bytearray()
    while value > 0x7F:
        packed.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*packed, value])


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a varint has at most ten bytes")


def read_message(data: bytes, depth: int = 4) -> list[Field] | None:
    """The fields of a message; None for what is none. Bytes that happen to be a message are taken for one, `depth` deep."""
    fields, at = [], 0
    try:
        while at < len(data):
            key, at = _read_varint(data, at)
            number, wire = key >> 3, key & 7
            if wire == VARINT:
                value, at = _read_varint(data, at)
                fields.append(Field(number, wire, value))
                continue
            size, at = _read_varint(data, at) if wire == SIZED else (FIXED[wire], at)
            content = data[at : at + size]
            if len(content) < size or not number:
                return None
            inner = read_message(content, depth - 1) if wire == SIZED and depth and content else None
            fields.append(Field(number, wire, content if inner is None else inner))
            at += size
    except (IndexError, KeyError, ValueError):
        return None
    return fields


def write_message(fields: list[Field]) -> bytes:
    """The bytes of a message."""
    packed = []
    for field in fields:
        packed.append(varint(field.number << 3 | field.wire))
        if isinstance(field.value, int):
            packed.append(varint(field.value))
            continue
        content = field.value if isinstance(field.value, bytes) else write_message(field.value)
        if field.wire == SIZED:
            packed.append(varint(len(content) if field.claims is None else field.claims))
        packed.append(content)
    return b"".join(packed)


def _messages(fields: list[Field]) -> list[list[Field]]:
    """This message and every one inside it."""
    found = [fields]
    for field in fields:
        if isinstance(field.value, list):
            found += _messages(field.value)
    return [message for message in found if message]


def spoil_message(data: bytes, rng: Random) -> bytes:
    """One field, anywhere, gone wrong: lost, doubled, renumbered, of another size or another number, or nested in itself."""
    whole = read_message(data) or [Field(1, SIZED, data)]
    message = rng.choice(_messages(whole))
    at = rng.randrange(len(message))
    field = message[at]
    match rng.randrange(7):
        case 0:
            del message[at]
        case 1:
            message[at:at] = [field] * rng.choice((1, 2, 500))
        case 2:
            field.number = rng.choice((field.number + 1, 1, 5, 15, 1000, 2**29 - 1))
        case 3:
            field.wire = rng.choice((VARINT, EIGHT, SIZED, 3, 4, FOUR, 6, 7))
        case 4:
            field.claims = rng.choice(ODD_INTEGERS)
        case 5:
            field.value = rng.choice(ODD_INTEGERS) if isinstance(field.value, int) else b""
        case 6:
            field.wire, field.value = SIZED, nested(field.number, rng.choice((10, 90, 110, 1000, 30_000)))
    return write_message(whole)


def flood(count: int, rng: Random) -> bytes:
    """Empty messages of two bytes, of which a parser makes a hundred times as much: metadata, operator sets, tensors."""
    number = rng.choice((8, 14, 5))
    empty = varint(number << 3 | SIZED) + b"\0"
    return write_message([Field(7, SIZED, empty * count)]) if number == 5 else empty * count


def nested(number: int, depth: int) -> bytes:
    """A message in a message in a message, `depth` deep, each the field `number`."""
    content, key = b"", varint(number << 3 | SIZED)
    for _ in range(depth):
        content = key + varint(len(content)) + content
        if len(content) > 100_000:
            break
    return content
