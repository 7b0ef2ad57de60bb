"""The report as Markdown, everything but the charts; foreign text cannot become a link, an image, a table or HTML."""

import re
from collections.abc import Iterable, Iterator, Sequence

from verifier.report.content import Amount, FindingRow, ItemRow, PriceRow, Report
from verifier.report.visible import visible
from verifier.report.words import Words, words_of

# Every character that Markdown, its tables or HTML in it give a meaning, and what a line must not begin with.
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~&$^])")
START = re.compile(r"^(\s*)([-+=]|[0-9]+(?=[.)]))")
# Words that programs turn into links by themselves, however they are escaped; inside code they stay what they are.
LINK = re.compile(r"\S*(?:://|www\.|@|mailto:|xmpp:)\S*", re.IGNORECASE)
MOST = 500


def escape(text: str) -> str:
    """Return foreign text as Markdown that shows it as it is, on one line."""
    shown, parts, end = visible(text), [], 0
    for found in LINK.finditer(shown):
        parts += [SPECIAL.sub(r"\\\1", shown[end : found.start()]), _code(found.group())]
        end = found.end()
    parts.append(SPECIAL.sub(r"\\\1", shown[end:]))
    return START.sub(_not_a_list, "".join(parts))


def _code(word: str) -> str:
    """Return a word as code; what would end the code or a table's cell is written out."""
    return "`" + word.replace("`", "⟨U+0060⟩").replace("|", "⟨U+007C⟩") + "`"


def _not_a_list(found: re.Match[str]) -> str:
    space, mark = found.groups()
    return f"{space}{mark}\\" if mark.isdigit() else f"{space}\\{mark}"


def render_markdown(report: Report) -> str:
    """Return the report as Markdown; the same report gives the same text."""
    say = words_of(report.language)
    parts = (_first, _held, _in_time, _judged, _prices, _worth, _behind)
    return "\n\n".join(block for part in parts for block in part(report, say)) + "\n"


def _first(report: Report, say: Words) -> Iterator[str]:
    head = report.headline
    yield f"# {escape(head.word)}: {escape(head.answer)}"
    yield _list(
        (
            f"{say('headline.who')}: {head.exchange} ({head.exchange_id})",
            f"{say('headline.what')}: {head.claim}",
            f"{say('headline.as_of')}: {head.when}",
            *(
                f"{say('headline.law')}: {b.word}, {b.title} ({b.id} {b.version}, {b.standing})"
                for b in report.rulebooks
            ),
            f"{say('headline.why')}: {head.reason.text} {head.reason.rule} {head.reason.clause}".rstrip(),
            *([say("headline.cure", day=head.reason.cure_by)] if head.reason.cure_by else []),
            f"{say('headline.checks')}: {head.counts}",
        )
    )
    yield escape(say("headline.meaning"))
    yield escape(say("headline.notice"))


def _held(report: Report, say: Words) -> Iterator[str]:
    yield _title("coverage", say)
    yield from _table(
        say,
        (
            "coverage.asset",
            "coverage.held",
            "coverage.owed",
            "coverage.ratio",
            "coverage.state_column",
            "coverage.known",
        ),
        (
            (
                c.symbol,
                c.held.text,
                c.owed.text if c.owed else say("coverage.unstated"),
                c.ratio,
                c.difference,
                c.known_as,
            )
            for c in report.coverage
        ),
    )
    yield _title("pools", say)
    yield from _table(
        say,
        ("pools.asset", "pools.pool", "pools.total", "pools.controlled", "pools.holdings", "pools.known"),
        (
            (p.symbol, p.word, p.total.text, p.controlled.text, str(p.holdings),
             "; ".join(say("pools.part", amount=q.amount.text, word=q.word, holdings=q.holdings) for q in p.parts))
            for p in report.pools
        ),
    )  # fmt: skip
    if report.off_chain:
        rows = ((one.word, one.text, one.document) for one in report.off_chain)
        yield from _table(say, ("pools.pool", "pools.total", "pools.document"), rows)


def _in_time(report: Report, say: Words) -> Iterator[str]:
    yield _title("ladder", say)
    within = ("ladder.within_1h", "ladder.within_24h", "ladder.within_7d", "ladder.later", "ladder.barred")
    yield from _table(
        say,
        ("pools.asset", "pools.pool", *within),
        (
            (one.symbol, one.word, *(step.text for step in one.within), one.later.text, "; ".join(one.barred))
            for one in report.ladder
        ),
    )
    yield _title("profile", say)
    if not report.profiles:
        yield escape(say("profile.none"))
        return
    heads = ("profile.window", "profile.least", "profile.last", "coverage.owed", "profile.mean", "profile.drawn")
    yield from _table(
        say,
        ("pools.asset", *heads),
        (
            (p.symbol, f"{p.opened} – {p.ended}", _text(p.least), _text(p.held), _text(p.owed), p.mean_ratio,
             _text(p.drawn_least))
            for p in report.profiles
        ),
    )  # fmt: skip
    yield _list([f"{p.symbol}: {p.remark}" for p in report.profiles if p.remark])


def _text(amount: Amount | None) -> str:
    return amount.text if amount else ""


def _judged(report: Report, say: Words) -> Iterator[str]:
    yield _title("matrix", say)
    counts = ("verdict.pass", "verdict.fail", "verdict.indeterminate", "verdict.not-applicable")
    yield from _table(
        say,
        ("matrix.result", "matrix.rulebook", *counts, "matrix.broken"),
        (
            (b.word, f"{b.title} ({b.id} {b.version}, {b.standing})", *map(str, b.counts), ", ".join(b.broken))
            for b in report.rulebooks
        ),
    )
    if report.subjects:
        heads = "| " + " | ".join([say("matrix.subject"), *(escape(b.id) for b in report.rulebooks)]) + " |"
        lines = [_line([one.subject, *(cell.word for cell in one.cells)]) for one in report.subjects[:MOST]]
        yield "\n".join([heads, "|" + " --- |" * (len(report.rulebooks) + 1), *lines])
    yield _title("rules", say)
    for finding in report.findings[:MOST]:
        yield from _finding(finding, say)
    yield from _cut(len(report.findings), "more.findings", say)
    yield _title("multiples", say)
    rows = ((one.loss, one.times, one.amount) for one in report.multiples)
    yield from _table(say, ("multiples.loss", "multiples.times", "multiples.amount"), rows)


def _finding(one: FindingRow, say: Words) -> Iterator[str]:
    yield f"### {one.number}\\. {escape(one.word)}: {escape(one.rule)} \\[{escape(one.subject_word)}\\]"
    said = [one.text, one.demand]
    said += [f"{say('rules.clause')}: {one.clause}"] if one.clause else []
    said += [say("rules.cure", day=one.cure_by)] if one.cure_by else []
    if one.measured:
        said.append(f"{say('rules.measured')}: {one.measured}; {say('rules.required')}: {one.required}; {one.room}")
    said += [f"{say('rules.evidence')}: {', '.join(one.evidence)}"] if one.evidence else []
    said += [f"{line.name} {line.key}: {line.value} {line.known_as}" for line in one.trace]
    yield _list([text for text in said if text])


def _prices(report: Report, say: Words) -> Iterator[str]:
    yield _title("prices", say)
    heads = ("prices.asset", "prices.kind", "prices.used", "prices.source", "prices.said", "prices.at", "prices.remark")
    yield from _table(say, heads, (row for price in report.prices for row in _price(price, say)))


def _price(price: PriceRow, say: Words) -> Iterator[Sequence[str]]:
    remark = "" if price.heard else say("prices.as_given")
    yield price.symbol, price.kind, f"{price.used} {price.currency}", price.source, "", price.at, remark
    yield from (("", "", "", one.operator, one.price, one.moment, one.remark) for one in price.heard)


def _worth(report: Report, say: Words) -> Iterator[str]:
    yield _title("limits", say)
    yield _list(report.limits)
    yield _title("checklist", say)
    yield escape(report.checklist_summary)
    for item in report.checklist:
        yield from _item(item, say)
    yield _title("changes", say)
    yield from (escape(line) for line in report.changes or (say("changes.none"),))
    yield _title("assurance", say)
    yield from (escape(line) for line in report.assurance or (say("assurance.none"),))
    yield _title("reproduction", say)
    found = report.reproduction
    unknown = say("reproduction.unknown")
    yield _list(
        (
            f"{say('reproduction.command')}: {found.command or say('reproduction.no_command')}",
            f"{say('reproduction.case')}: {found.case}",
            f"{say('reproduction.bundle')}: {found.bundle or unknown}",
            *(f"{say('reproduction.packs')} {one.id} {one.version}: {one.digest}" for one in report.rulebooks),
            f"{say('reproduction.version')}: reserve-verifier {found.version or unknown}",
            f"{say('reproduction.lock')}: {found.lock or unknown}",
        )
    )


def _item(item: ItemRow, say: Words) -> Iterator[str]:
    yield f"### {item.number}\\. {escape(item.title)}: {escape(item.word)}"
    why = [f"{say('checklist.why')}: {item.why}"] if item.status in ("absent", "partly") else []
    yield _list([*(f"{point.word}: {point.text}" for point in item.points), *why])


def _behind(report: Report, say: Words) -> Iterator[str]:
    yield _title("evidence", say)
    yield _list([f"{one.what}: {one.about} {one.digest}" for one in report.evidence])
    yield _title("holdings", say)
    yield from _table(
        say,
        ("pools.pool", "holdings.label", "holdings.account", "holdings.amount", "pools.known", "holdings.control"),
        (
            (
                h.word,
                h.label,
                h.account,
                h.amount.text if h.amount else h.symbol,
                h.known_as,
                f"{h.control} {h.binding}",
            )
            for h in report.holdings
        ),
    )


def _title(section: str, say: Words) -> str:
    return f"## {escape(say(f'{section}.title'))}"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {escape(line)}" for line in lines)


def _table(say: Words, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table of the first rows, and a line that tells of the others."""
    listed = list(rows)
    lines = [_line([say(head) for head in heads]), "|" + " --- |" * len(heads), *map(_line, listed[:MOST])]
    yield "\n".join(lines)
    yield from _cut(len(listed), "more.rows", say)


def _cut(count: int, key: str, say: Words) -> Iterator[str]:
    if count > MOST:
        yield escape(say(key, count=count - MOST))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escape(one) for one in cells) + " |"
