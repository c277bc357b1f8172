"""A proposal with the answers that a person gave."""

from collections.abc import Mapping

import msgspec

from producers.propose.proposal import Proposal, ProposedSource

__all__ = ["answered"]


def answered(proposal: Proposal, answers: Mapping[str, str]) -> Proposal:
    """Return the proposal with answers by the keys of its questions; an empty answer leaves it open."""
    fields = dict(proposal.fields)
    status = proposal.status
    for key, answer in answers.items():
        if not answer:
            continue
        place, _, rest = key.partition(".")
        if place == "status" and status is not None:
            status = msgspec.structs.replace(
                status,
                words={**status.words, rest: answer},
                unknown=tuple(cell for cell in status.unknown if cell != rest),
            )
        elif place == "fields":
            name, _, cell = rest.partition(".")
            fields[name] = _answered(fields[name], cell, answer)
    return msgspec.structs.replace(
        proposal,
        source=answers.get("source") or proposal.source,
        status=status,
        fields=fields,
        questions=tuple(q for q in proposal.questions if not answers.get(q.key)),
    )


def _answered(source: ProposedSource, cell: str, answer: str) -> ProposedSource:
    if not cell:
        return msgspec.structs.replace(source, value=answer, open=())
    unknown = tuple(other for other in source.unknown if other != cell)
    return msgspec.structs.replace(
        source,
        words={**source.words, cell: answer},
        unknown=unknown,
        default=source.default if unknown else None,
    )
