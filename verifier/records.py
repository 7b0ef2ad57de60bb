"""Records that strangers wrote as JSON: read strictly, or refused with the file and the field."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import ValidationError

from chains.decode import parse_json
from chains.errors import ChainError
from chains.providers import describe_validation
from verifier.errors import InputError

Record = TypeVar("Record")


def parse_record(text: bytes, where: str, validate: Callable[[Any], Record]) -> Record:
    """Return what a pydantic validation makes of JSON bytes. Raises InputError that names `where` and the bad field."""
    try:
        return validate(parse_json(text))
    except ValidationError as error:
        raise InputError(f"{where}: {describe_validation(error)}") from error
    except ChainError as error:
        raise InputError(f"{where}: {error}") from error
