"""Frozen records; those that strangers wrote as JSON are read strictly, or refused with the file and the field."""

from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from chains.decode import parse_json
from chains.errors import ChainError
from chains.providers import describe_validation
from verifier.errors import InputError

Record = TypeVar("Record")


class FrozenRecord(BaseModel):
    """An immutable record that may keep what it has worked out from its fields (`functools.cached_property`)."""

    model_config = ConfigDict(frozen=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy that works out again what follows from its fields; pydantic's keeps what was worked out."""
        made = super().model_copy(update=update, deep=deep)
        for name in made.__dict__.keys() - type(made).model_fields.keys():
            del made.__dict__[name]
        return made


def parse_record(text: bytes, where: str, validate: Callable[[Any], Record]) -> Record:
    """Return what a pydantic validation makes of JSON bytes. Raises InputError that names `where` and the bad field."""
    try:
        return validate(parse_json(text))
    except ValidationError as error:
        raise InputError(f"{where}: {describe_validation(error)}") from error
    except ChainError as error:
        raise InputError(f"{where}: {error}") from error
