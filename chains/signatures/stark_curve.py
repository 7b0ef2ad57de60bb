"""The STARK curve of Starknet: its Pedersen hash and its signatures, for checking only (not in constant time)."""

from collections.abc import Sequence
from functools import cache, lru_cache

REMEMBERED = 4_096
PRIME = 2**251 + 17 * 2**192 + 1
ORDER = 0x800000000000010FFFFFFFFFFFFFFFFB781126DCAE7B2321E66A241ADC64D2F
_B = 0x6F21413EFBE40DE150E596D72F7A8C5609AD26C15C915C1F4CDFCB99CEE9E89  # y^2 = x^3 + x + b
_GENERATOR = (
    0x1EF15C18599971B7BECED415A40F0C7DEACFD9B0D1819E03D723D8BC943CFCA,
    0x5668060AA49730B7BE4801DF46EC62DE53ECD11ABE43A32873000C36E8DC1F,
)
# Points of the hash: its start; then for the lower 248 and the upper 4 bits of the first number, and of the second.
_SHIFT = (
    0x49EE3EBA8C1600700EE1B87EB599F16716B0B1022947733551FDE4050CA6804,
    0x3CA0CFE4B3BC6DDF346D49D06EA0ED34E621062C0E056C1D0405D266E10268A,
)
_DIGITS, _LOW_DIGITS = 63, 62
_HASH_POINTS = (
    (
        0x234287DCBAFFE7F969C748655FCA9E58FA8120B6D56EB0C1080D17957EBE47B,
        0x3B056F100F96FB21E889527D41F4E39940135DD7A6C94CC6ED0268EE89E5615,
    ),
    (
        0x4FA56F376C83DB33F9DAB2656558F3399099EC1DE5E3018B7A6932DBA8AA378,
        0x3FA0984C931C9E38113E0C0E47E4401562761F92A7A23B45168F4E80FF5B54D,
    ),
    (
        0x4BA4CC166BE8DEC764910F75B45F74B40C690C74709E90F3AA372F0BD2D6997,
        0x40301CF5C1751F4B971E46C4EDE85FCAC5C59A5CE5AE7C48151F27B24B219C,
    ),
    (
        0x54302DCB0E6CC1C6E44CCA8F61A63BB2CA65048D53FB325D36FF12C49A58202,
        0x1B77B3E37D13504B348046268D8AE25CE98AD783C25561A879DCC77E99C2426,
    ),
)
Affine = tuple[int, int]
_Row = list[Affine]  # the first fifteen multiples of a point
_Jacobian = tuple[int, int, int]  # x/z^2 and y/z^3; z is 0 at infinity
_INFINITY: _Jacobian = (1, 1, 0)


@lru_cache(maxsize=REMEMBERED)
def pedersen(first: int, second: int) -> int:
    """Return the hash of two field elements; lists of them begin alike, so it is remembered. Source: StarkWare."""
    point = (*_SHIFT, 1)
    for number, table in zip((first, second), _hash_tables(), strict=True):
        point = _add_digits(point, number, table)
    return _affine(point)[0]


def pedersen_of_all(elements: Sequence[int]) -> int:
    """Return the hash of a list: its elements one after another from 0 on, then their number."""
    result = 0
    for element in (*elements, len(elements)):
        result = pedersen(result, element)
    return result


def has_signed(key: int, digest: int, r: int, s: int) -> bool:
    """Tell whether r and s are a signature over a digest by a key, which is named by its x alone.

    The twin with the other half of s is a signature as well: wallets write either. Source: StarkWare, STARK curve
    signatures (digest and r below 2^251).
    """
    point = point_of(key)
    if point is None or not (0 < r < 1 << 251 and 0 < s < ORDER and 0 <= digest < 1 << 251):
        return False
    inverse = pow(s, -1, ORDER)
    base = _add_digits(_INFINITY, digest * inverse % ORDER, _generator_table())
    by_key = _multiply(point, r * inverse % ORDER)
    if by_key[2] == 0:
        return False
    x, y = _affine(by_key)
    return any(_has_x(_add(base, (x, sign)), r) for sign in (y, PRIME - y))


@lru_cache(maxsize=REMEMBERED)
def point_of(x: int) -> Affine | None:
    """Return the point with an x and the even y, or None when the curve has none. All points are of prime order."""
    if not 0 < x < PRIME:
        return None
    square = (x * x * x + x + _B) % PRIME
    if not _is_square(square):
        return None
    y = _square_root(square)
    return x, y if y % 2 == 0 else PRIME - y


def _has_x(point: _Jacobian, r: int) -> bool:
    return point[2] != 0 and _affine(point)[0] % ORDER == r


def _multiply(point: Affine, number: int) -> _Jacobian:
    result = _INFINITY
    for place in range(number.bit_length() - 1, -1, -1):
        result = _double(result)
        if number >> place & 1:
            result = _add(result, point)
    return result


def _double(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    if z == 0 or y == 0:
        return _INFINITY
    yy = y * y % PRIME
    zz = z * z % PRIME
    across = 4 * x * yy % PRIME
    slope = (3 * x * x + zz * zz) % PRIME  # the curve's a is 1
    new_x = (slope * slope - 2 * across) % PRIME
    return new_x, (slope * (across - new_x) - 8 * yy * yy) % PRIME, 2 * y * z % PRIME


def _add(point: _Jacobian, other: Affine) -> _Jacobian:
    x, y, z = point
    if z == 0:
        return (*other, 1)
    zz = z * z % PRIME
    dx = (other[0] * zz - x) % PRIME
    dy = (other[1] * zz * z - y) % PRIME
    if dx == 0:
        return _double(point) if dy == 0 else _INFINITY
    dx2 = dx * dx % PRIME
    dx3, across = dx2 * dx % PRIME, x * dx2 % PRIME
    new_x = (dy * dy - dx3 - 2 * across) % PRIME
    return new_x, (dy * (across - new_x) - y * dx3) % PRIME, z * dx % PRIME


def _affine(point: _Jacobian) -> Affine:
    inverse = pow(point[2], -1, PRIME)
    square = inverse * inverse % PRIME
    return point[0] * square % PRIME, point[1] * square * inverse % PRIME


def _add_digits(point: _Jacobian, number: int, table: list[_Row]) -> _Jacobian:
    """Add a number times a point, by the table of that point's multiples."""
    for row in table:
        digit, number = number & 15, number >> 4
        if digit:
            point = _add(point, row[digit - 1])
    return point


@cache
def _hash_tables() -> list[list[_Row]]:
    """Return for each of the hash's two numbers the multiples of its two points: 62 digits of one, then one digit."""
    pairs = zip(_HASH_POINTS[::2], _HASH_POINTS[1::2], strict=True)
    return [_rows(low, _LOW_DIGITS) + _rows(high, 1) for low, high in pairs]


@cache
def _generator_table() -> list[_Row]:
    return _rows(_GENERATOR, _DIGITS)


def _rows(point: Affine, digits: int) -> list[_Row]:
    """Return for each hexadecimal digit of a number, the lowest first, its fifteen multiples of a point."""
    rows = []
    for _ in range(digits):
        multiples = [(*point, 1)]
        while len(multiples) < 16:
            multiples.append(_add(multiples[-1], point))
        row = [_affine(multiple) for multiple in multiples]
        rows.append(row[:15])
        point = row[15]
    return rows


def _square_root(number: int) -> int:
    """Return a root of a square, as a power in the field with a root of `beyond` added. Source: Cipolla."""
    start = next(start for start in range(PRIME) if not _is_square((start * start - number) % PRIME))
    beyond = (start * start - number) % PRIME
    root, rest, power, times = 1, 0, (start, 1), (PRIME + 1) // 2
    while times:
        if times & 1:
            root, rest = (
                (root * power[0] + rest * power[1] * beyond) % PRIME,
                (root * power[1] + rest * power[0]) % PRIME,
            )
        power = (power[0] ** 2 + power[1] ** 2 * beyond) % PRIME, 2 * power[0] * power[1] % PRIME
        times >>= 1
    return root


def _is_square(number: int) -> bool:
    return number == 0 or pow(number, (PRIME - 1) // 2, PRIME) == 1
