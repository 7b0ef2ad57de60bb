"""How a node says that a contract refused a call, told from a node that could not carry it out."""

from chains.errors import ProviderError

_REVERTED = 3  # the code of a revert in geth and its relatives; others say it in words


def is_revert(error: ProviderError) -> bool:
    """Tell whether an error is the contract's own refusal."""
    said = str(error).partition(": ")[2].lower()  # what stands before is the provider's name
    return error.code == _REVERTED or "execution reverted" in said or "exception while processing transaction" in said
