"""The stored proof of a Safe's state at one block: a JSON record that whoever has the block's state root can check."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from chains.decode import parse_json
from chains.errors import InvalidAnswerError, ProofError
from chains.evm.header import Header, verify_header
from chains.evm.hexadecimal import data
from chains.evm.safe.account_code import AccountCode, CodeKind, proven_code
from chains.evm.safe.contracts import known_contracts
from chains.evm.safe.storage import Storage, read_storage
from chains.evm.state_proof import verify_proof
from chains.ids import AccountId, address_of

FORMAT = "reserve-verifier/safe-proof/1"
MAX_RECORD_BYTES = 8 * 1024 * 1024
KEYS = ("format", "account", "block", "state_root", "code", "proof", "singleton_proof", "state")
PROOF_KEYS = ("address", "balance", "nonce", "codeHash", "storageHash", "accountProof", "storageProof")
SLOT_KEYS = ("key", "value", "proof")
# The block's fields that its hash covers; others, such as its transactions, are not kept.
BLOCK_KEYS = (
    *("hash", "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"),
    *("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas"),
    *("withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash"),
)


class SafeState(NamedTuple):
    """A Safe as proven: its block, the version of its code, and who and what decides over its funds."""

    header: Header
    version: str
    storage: Storage


class NotASafe(NamedTuple):
    """An account proven to be no Safe that we know; `reason` in a word or two, and the code it really has.

    Reasons: `no-contract` (a plain account of one key, or one nobody ever used), `delegated` (EIP-7702: the delegate's
    code can move the funds), `unknown-contract`, `not-set-up`.
    """

    header: Header
    reason: str
    code: AccountCode


def read_record(text: str | bytes) -> dict[str, Any]:
    """Decode a stored record. Raises ProofError when it is no JSON object of at most 8 MiB."""
    try:
        raw = text.encode() if isinstance(text, str) else text
        if len(raw) > MAX_RECORD_BYTES:
            raise ProofError(f"a record of {len(raw)} bytes; at most {MAX_RECORD_BYTES} are read")
        return _object(parse_json(raw), "the record", KEYS)
    except (InvalidAnswerError, UnicodeEncodeError) as error:
        raise ProofError(f"the record of a Safe: {error}") from error


def prove_safe(record: Mapping[str, Any], state_root: bytes, account: AccountId) -> SafeState | NotASafe:
    """Check a record against a state root that the caller trusts; return what it proves of the account.

    Every value in the record is checked: header, proofs, code, and the summary in words under `state`. The root alone
    says which chain and block this is. Raises ProofError.
    """
    try:
        return _prove(record, state_root, account)
    except InvalidAnswerError as error:
        raise ProofError(f"the record of {account}: {error}") from error


def summary_of(state: SafeState | NotASafe) -> dict[str, Any]:
    """Return what a record says in words beside its proofs."""
    if isinstance(state, NotASafe):
        return {"reason": state.reason, "delegate": state.code.delegate}
    named = {"version": state.version, **state.storage._asdict()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in named.items()}


def _prove(record: Mapping[str, Any], state_root: bytes, account: AccountId) -> SafeState | NotASafe:
    _object(record, "the record", KEYS)
    if record["format"] != FORMAT:
        raise ProofError(f"the record's format is {str(record['format'])[:60]!r}; expected {FORMAT!r}")
    # 1. The block: its header has its hash, and its state root is the trusted one
    block = record["block"]
    if not isinstance(block, dict) or not set(block) <= set(BLOCK_KEYS):
        raise ProofError("the record's block is no header, or has fields that its hash does not cover")
    header = verify_header(block, str(block.get("hash")))
    if header.state_root != state_root or data(record["state_root"], "state_root", 32) != state_root:
        raise ProofError("the record is of another state root")
    # 2. The account, its code and its slots under that root
    if record["account"] != account:
        raise ProofError(f"the record is of {str(record['account'])[:80]}; expected {account}")
    found = derive(record, header, address_of(account))
    # 3. The summary is what follows
    if record["state"] != summary_of(found):
        raise ProofError("the record's summary is not what its proofs show")
    return found


def derive(record: Mapping[str, Any], header: Header, address: str) -> SafeState | NotASafe:
    """Return what a record's code and proofs show of an address under a header. Raises ProofError."""
    proven = verify_proof(header.state_root, address, _proof(record["proof"]))
    code = proven_code(proven.state, data(record["code"], "code"))
    if code.kind is not CodeKind.CONTRACT or code.code_hash not in known_contracts().proxies:
        if proven.storage or record["singleton_proof"] is not None:
            raise ProofError("the record proves slots of what is no Safe")
        reasons = {CodeKind.NONE: "no-contract", CodeKind.DELEGATED: "delegated"}
        return NotASafe(header, reasons.get(code.kind, "unknown-contract"), code)
    storage = read_storage(proven.storage)
    singleton = verify_proof(header.state_root, storage.singleton, _proof(record["singleton_proof"]))
    if singleton.storage:
        raise ProofError("the record proves slots of the singleton")
    version = known_contracts().singletons.get(singleton.state.code_hash)
    if version is None:
        return NotASafe(header, "unknown-contract", code)
    if storage.threshold == 0:
        return NotASafe(header, "not-set-up", code)
    return SafeState(header, version, storage)


def _proof(value: Any) -> dict[str, Any]:
    proof = _object(value, "a proof", PROOF_KEYS)
    if not isinstance(proof["storageProof"], list):
        raise ProofError("storageProof: expected a list")
    for entry in proof["storageProof"]:
        _object(entry, "a slot's proof", SLOT_KEYS)
    keys = [str(entry["key"]).lower() for entry in proof["storageProof"]]
    if len(set(keys)) != len(keys):
        raise ProofError("a slot is proven twice")
    return proof


def _object(value: Any, what: str, keys: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(keys):
        raise ProofError(f"{what}: expected an object of exactly {', '.join(keys)}")
    return value
