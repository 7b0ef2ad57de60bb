"""The day by which a rulebook wants a failure mended, counted in business days of its own calendar."""

from datetime import date, timedelta

from verifier.errors import InputError

SATURDAY = 5


def business_days_after(day: str, count: int, calendar: str) -> str:
    """Return the `count`-th business day after `day` (YYYY-MM-DD); `calendar` is an ISO 3166 code, empty for none.

    Saturdays, Sundays and the calendar's public holidays are no business days. Raises InputError for a calendar that
    the holidays library does not know.
    """
    from holidays import country_holidays  # heavy, and only a failure asks for it

    country, _, region = calendar.partition("-")
    try:
        closed = country_holidays(country, subdiv=region or None) if country else {}
    except NotImplementedError as error:
        raise InputError(f"no public holidays are known for {calendar!r}") from error
    found = date.fromisoformat(day)
    while count:
        found += timedelta(days=1)
        if found.weekday() < SATURDAY and found not in closed:
            count -= 1
    return found.isoformat()
