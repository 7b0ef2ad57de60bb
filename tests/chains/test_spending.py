"""What a descriptor asks for before its coins move: keys, quorums, and time."""

import pytest

from chains.bitcoin.spending import Lock, can_spend, keys_of, least_lock, spending_of
from chains.errors import IdentifierError
from chains.ids import chain_id
from chains.network import network_of

BITCOIN = network_of(chain_id("bip122:000000000019d6689c085ae165831e93"))
# BIP-32 test vector 1, chain m/0h/1/2h/2 and m/0h/1/2h/2/1000000000.
A = "xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5"
B = "xpub6FnCn6nSzZAw5Tw7cgR9bi15UV96gLZhjDstkXXxvCLsUXBGXPdSnLFbdpq8p9HmGsApME5hQTZ3emM2rnY5agb9rXpVGyy3bdW6EEgAtqt"
C = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
D = "03f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"


@pytest.mark.parametrize(
    ("descriptor", "enough", "too_few"),
    [
        (f"wpkh({A}/0/*)", {A}, {B}),
        (f"sh(wpkh({A}/<0;1>/*))", {A}, set()),
        (f"wsh(sortedmulti(2,{A}/0/*,{B}/0/*,{C}))", {A, C}, {B}),
        (f"sh(wsh(multi(1,{A}/0/*,{B}/0/*)))", {B}, {C}),
        (f"tr({A}/0/*)", {A}, {B}),
        (f"tr({A}/0/*,{{pk({B}/0/*),multi_a(2,{C},{D})}})", {C, D}, {C}),
        (f"tr({A}/0/*,pk({B}/0/*))", {B}, {C}),
        (f"wsh(and_v(v:pk({A}/0/*),older(144)))", {A}, {B}),
        (f"wsh(or_d(pk({A}/0/*),and_v(v:pk({B}/0/*),after(900000))))", {B}, {C}),
        (f"wsh(thresh(2,pk({A}/0/*),s:pk({B}/0/*),sln:older(12960)))", {A}, set()),
        (f"wsh(andor(pk({A}/0/*),older(10),pk({B}/0/*)))", {B}, {C}),
        (f"wsh(and_v(v:pk({A}/0/*),sha256({'11' * 32})))", {A}, {B}),
    ],
)
def test_who_can_spend_is_read_from_the_descriptor(descriptor: str, enough: set[str], too_few: set[str]) -> None:
    condition = spending_of(BITCOIN, descriptor)
    assert condition is not None
    assert can_spend(condition, enough)
    assert not can_spend(condition, too_few)
    assert enough <= keys_of(condition)


@pytest.mark.parametrize(
    ("descriptor", "lock"),
    [
        (f"wpkh({A}/0/*)", Lock()),
        (f"wsh(and_v(v:pk({A}/0/*),older(144)))", Lock(age_blocks=144)),
        (f"wsh(and_v(v:pk({A}/0/*),older(4194305)))", Lock(age_seconds=512)),
        (f"wsh(and_v(v:pk({A}/0/*),after(900000)))", Lock(height=900_000)),
        (f"wsh(and_v(v:pk({A}/0/*),after(1900000000)))", Lock(time=1_900_000_000)),
        (f"wsh(or_d(pk({A}/0/*),and_v(v:pk({B}/0/*),after(900000))))", Lock()),
        (f"wsh(andor(pk({A}/0/*),after(900000),and_v(v:pk({B}/0/*),after(800000))))", Lock(height=800_000)),
        (f"wsh(andor(pk({A}/0/*),after(900000),and_v(v:pk({B}/0/*),older(9))))", Lock()),
        (f"tr({C},and_v(v:pk({A}/0/*),older(144)))", Lock()),
    ],
)
def test_the_least_wait_is_that_of_the_quickest_way(descriptor: str, lock: Lock) -> None:
    condition = spending_of(BITCOIN, descriptor)
    assert condition is not None
    assert least_lock(condition) == lock


def test_an_address_says_nothing_of_keys_and_nonsense_is_refused() -> None:
    assert spending_of(BITCOIN, "addr(bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4)") is None
    with pytest.raises(IdentifierError):
        spending_of(BITCOIN, "wsh(pk())")
