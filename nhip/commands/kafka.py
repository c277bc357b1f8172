"""``kafka``: the least rights of each part in Kafka, shown or given."""

from itertools import groupby
from typing import Annotated

import typer

from contract.registry import KINDS
from nhip.audit import note
from nhip.console import OUT, print_json, say
from nhip.kafka_access import kafka_access
from nhip.settings import Settings
from producers.administration import give_rights
from producers.rights import ROLES, acl_command, least

__all__ = ["app"]

app = typer.Typer(help="Users of Kafka: what each part of the system must be allowed.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep the name of a command that is the only one."""


@app.command()
def acls(
    context: typer.Context,
    role: Annotated[str, typer.Argument(help=f"{', '.join(ROLES)}.")],
    user: Annotated[str, typer.Option(help="User in Kafka that gets the rights.")],
    kind: Annotated[
        list[str] | None, typer.Option(help="Only this kind's topic; may be repeated. Workers and prepare need all.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Give the rights, as the kafka_user of the settings.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print a document for programs.")] = False,
) -> None:
    """Print the least rights in Kafka of a part as commands of kafka-acls.sh; with --apply give them."""
    settings: Settings = context.obj
    if role not in ROLES:
        raise typer.BadParameter(f"unknown {role!r}; one of {', '.join(ROLES)}", param_hint="ROLE")
    known = {each.key: each.topic for each in KINDS}
    for key in kind or ():
        if key not in known:
            raise typer.BadParameter(f"unknown {key!r}; one of {', '.join(known)}", param_hint="--kind")
    if kind and role in ("worker", "prepare"):
        raise typer.BadParameter(f"a {role} needs the topics of all kinds", param_hint="--kind")
    principal = f"User:{user}"
    rights = least(role, [known[key] for key in kind or known], settings.group)
    commands = [acl_command(principal, list(part)) for _, part in groupby(rights, lambda right: right[:2])]
    if apply:
        give_rights(settings.kafka, principal, rights, kafka_access(settings))
        note(settings, "rights given in Kafka", principal, f"{role}: {'; '.join(map(str, rights))}")
    if json:
        print_json(
            {
                "principal": principal,
                "role": role,
                "rights": [right._asdict() for right in rights],
                "commands": commands,
                "applied": apply,
            }
        )
        return
    if apply:
        say(f"{principal} has as {role}: {'; '.join(map(str, rights))}")
        return
    for command in commands:
        OUT.print(command, markup=False, highlight=False, soft_wrap=True)
