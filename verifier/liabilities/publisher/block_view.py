"""One block of leaves with every node on the way to the top: all its proofs, and their text, without asking twice."""

from verifier.canonical import canonical_json
from verifier.inclusion.commitment import Commitment
from verifier.inclusion.proof import PROOF_FORMAT, InclusionProof, LeafProof
from verifier.inclusion.sum_tree import Node, padding
from verifier.liabilities.publisher.blocks import BLOCK_HEIGHT, levels_of, to_node
from verifier.liabilities.publisher.kernels import POSITION_BYTES, Kernel
from verifier.liabilities.publisher.store import LeafList


class BlockView:
    """The proofs of one block's leaves in a tree with one leaf per account.

    `text` gives what `InclusionProof.to_json` gives; it is put together from texts that neighbours share.
    """

    def __init__(self, leaf_list: LeafList, kernel: Kernel, block: int) -> None:
        self._commitment = commitment = leaf_list.commitment
        self._first = block << BLOCK_HEIGHT
        height = min(commitment.depth, BLOCK_HEIGHT)
        rows = levels_of(kernel, leaf_list.records(block)[:, POSITION_BYTES:].copy(), 0, height)
        assets = len(commitment.assets)
        self._levels = [
            [*map(to_node, level), *([padding(at, assets)] * (len(level) % 2))] for at, level in enumerate(rows[:-1])
        ]
        self._leaves = self._levels[0] if self._levels else [to_node(rows[0][0])]
        self._texts = [[_step(node) for node in level] for level in self._levels]
        self._above = tuple(leaf_list.path_above(block))
        self._above_texts = [_step(node) for node in self._above]
        self._before, self._between = _frame(commitment)

    def proof(self, inside: int, salt: bytes, account: str) -> InclusionProof:
        """Return the proof of the leaf at a place inside the block."""
        within = (level[(inside >> at) ^ 1] for at, level in enumerate(self._levels))
        leaf = LeafProof(salt, self._leaves[inside].sums, self._first + inside, (*within, *self._above))
        return InclusionProof(self._commitment, self._commitment.digest, account, (leaf,))

    def text(self, proof: InclusionProof) -> bytes:
        """Return the canonical JSON of one of this block's proofs."""
        leaf = proof.leaves[0]
        inside = leaf.index - self._first
        path = [texts[(inside >> at) ^ 1] for at, texts in enumerate(self._texts)]
        account = canonical_json(proof.account).decode()
        balances = '","'.join(map(str, leaf.balances))
        return (
            f'{{"account":{account}{self._before}"{balances}"{self._between}{leaf.index},"path":['
            f'{",".join([*path, *self._above_texts])}],"salt":"{leaf.salt.hex()}"}}]}}'
        ).encode()


def _frame(commitment: Commitment) -> tuple[str, str]:
    header = commitment.to_json().decode()
    digest = f'"commitment_digest":"{commitment.digest}"'
    before = f',"commitment":{header},{digest},"format":"{PROOF_FORMAT}","leaves":[{{"balances":['
    return before, '],"index":'


def _step(node: Node) -> str:
    sums = '","'.join(map(str, node.sums))
    return f'{{"hash":"{node.hash.hex()}","sums":["{sums}"]}}'
