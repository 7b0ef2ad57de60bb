"""Keys, hashes and signatures of Starknet by the schoolbook: slow, in affine coordinates, apart from the checker's."""

from hashlib import sha256

from Crypto.Hash import keccak

P = 2**251 + 17 * 2**192 + 1
N = 0x800000000000010FFFFFFFFFFFFFFFFB781126DCAE7B2321E66A241ADC64D2F
G = (
    0x1EF15C18599971B7BECED415A40F0C7DEACFD9B0D1819E03D723D8BC943CFCA,
    0x5668060AA49730B7BE4801DF46EC62DE53ECD11ABE43A32873000C36E8DC1F,
)
SHIFT = (
    0x49EE3EBA8C1600700EE1B87EB599F16716B0B1022947733551FDE4050CA6804,
    0x3CA0CFE4B3BC6DDF346D49D06EA0ED34E621062C0E056C1D0405D266E10268A,
)
PARTS = (
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
OKX_PROXY = 0x3530CC4759D78042F1B543BF797F5F3D647CDE0388C33734CF91B7F7B9314A9
OKX_ACCOUNT = 0x309C042D3729173C7F2F91A34F04D8C509C1B292D334679EF1AABF8DA0899CC
ARGENT = 0x1A736D6ED154502257F02B1CCDF4D9D1089F80811CD6ACAD48E6B6A9D1F2003


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = (3 * a[0] ** 2 + 1) * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope**2 - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(point, number):
    found = None
    while number:
        found = add(found, point) if number & 1 else found
        point, number = add(point, point), number >> 1
    return found


def hash_of(*numbers):
    """Return the Pedersen hash of a list, from 0 on and with the list's length at the end."""
    value = 0
    for number in (*numbers, len(numbers)):
        point = SHIFT
        for part, place in enumerate((value, number)):
            point = add(point, multiply(PARTS[2 * part], place & (1 << 248) - 1))
            point = add(point, multiply(PARTS[2 * part + 1], place >> 248))
        value = point[0]
    return value


def name(text):
    return int.from_bytes(keccak.new(digest_bits=256, data=text.encode()).digest()) & (1 << 250) - 1


def short(text):
    return int.from_bytes(text.encode())


def wallet(secret, template=0):
    """Return a key's x and the address of its wallet: 0 OKX's proxy, 1 Argent's account."""
    key = multiply(G, secret)[0]
    kinds = ((OKX_PROXY, (OKX_ACCOUNT, name("initialize"), 2, key, 0)), (ARGENT, (key, 0)))
    contract, calldata = kinds[template]
    return key, hash_of(short("STARKNET_CONTRACT_ADDRESS"), 0, key, contract, hash_of(*calldata)) % (2**251 - 256)


def sign_text(secret, text, address, application="OKX POR MESSAGE", chain="SN_MAIN"):
    """Return r and s over a text as OKX's tool wraps it (typed data, revision 0)."""
    domain = hash_of(name("StarkNetDomain(name:felt,version:felt,chainId:felt)"), short(application), 1, short(chain))
    message = hash_of(name("Message(contents:felt)"), short(text))
    return sign(secret, hash_of(short("StarkNet Message"), domain, address, message))


def sign(secret, digest):
    for attempt in range(100):
        nonce = int.from_bytes(sha256(f"{secret} {digest} {attempt}".encode()).digest()) % N
        r = multiply(G, nonce)[0]
        s = pow(nonce, -1, N) * (digest + r * secret) % N
        if 0 < r < 1 << 251 and s:
            return r, s
    raise AssertionError("no signature in a hundred attempts")
