"""Write the public conformance cases anew: python -m tests.builders"""

import json
from pathlib import Path

from tests.builders.accounts import built, hand_over
from tests.builders.lists import BUILDERS
from tests.builders.own import own_cases
from verifier import check_proofs
from verifier.inclusion.proof import PROOF_FORMAT
from verifier.inclusion.recipe import recipes

CASES = Path(__file__).parents[2] / "fixtures" / "inclusion"


def main() -> None:
    write_own()
    for name in BUILDERS:
        folder = CASES / name.replace(":", "-")
        folder.mkdir(parents=True, exist_ok=True)
        case = built(name, 5, 4)
        paths = hand_over(folder, case)
        result = check_proofs(paths, facts=case.facts, expected=case.expected, root=case.root).results[0]
        title = recipes()[name.partition(":")[0]].data["title"]
        (folder / "README.md").write_text(f"{title}: the last of five accounts, the one beside padding, is found.\n")
        expected = {
            "files": sorted(case.files), "facts": case.facts, "expect": case.expected, "verdict": "accepted",
            "format": result.format, "root": case.root, "own": case.own, "totals": case.totals,
        }  # fmt: skip
        (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def write_own() -> None:
    """Write the cases of our own format, accepted and refused ones."""
    for name, case in own_cases().items():
        folder = CASES / name
        folder.mkdir(parents=True, exist_ok=True)
        hand_over(folder, case)
        (folder / "README.md").write_text(f"Our own format: {case.title}.\n")
        expected = {
            "files": sorted(case.files), "facts": {}, "expect": {}, "verdict": case.verdict, "format": PROOF_FORMAT,
            "root": case.root, "own": case.own, "totals": case.totals, "findings": case.findings,
        }  # fmt: skip
        (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
