"""The least rights of each role, and the words for one that is missing."""

import pytest

from producers.access import KafkaAccess
from producers.driver import AuthorizationError, KafkaError
from producers.rights import ROLES, Right, acl_command, least, no_right
from producers.writable import write_refused

DOSSIERS, PAYMENTS = "nhip.dossiers", "nhip.payments"
ACCESS = KafkaAccess("sasl_ssl", "onestop", "planted-Ri9ht-secret")


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("worker", {"Read on topic nhip.dossiers", "Read on group nhip"}),
        ("intake", {"Write on topic nhip.dossiers", "Describe on group nhip"}),
        ("poller", {"Write on topic nhip.dossiers"}),
        ("producer", {"Write on topic nhip.dossiers"}),
        ("prepare", {"Create on topic nhip.dossiers", "Describe on topic nhip.dossiers"}),
        ("operator", {"Write on topic nhip.dossiers", "Describe on group nhip"}),
    ],
)
def test_a_role_gets_no_more_than_it_needs(role: str, expected: set[str]) -> None:
    """Only workers read; nobody deletes or alters."""
    rv = least(role, [DOSSIERS], "nhip")

    assert {str(right) for right in rv} == expected
    assert role in ROLES


def test_the_command_can_be_pasted() -> None:
    """Names that a shell would read otherwise are quoted."""
    rights = [Right("topic", DOSSIERS, "Create"), Right("topic", DOSSIERS, "Describe")]

    rv = acl_command("User:CN=a b", rights)

    assert "--allow-principal 'User:CN=a b' --operation Create --operation Describe --topic nhip.dossiers" in rv


def test_a_missing_right_names_all_that_is_needed() -> None:
    """User, thing, right and command; not the password."""
    rv = str(no_right(ACCESS, Right("group", "nhip", "Read")))

    assert rv.startswith(
        "Kafka does not let User:onestop do this: Read on group nhip. To give the right: kafka-acls.sh"
    )
    assert rv.endswith("--add --allow-principal User:onestop --operation Read --group nhip")
    assert "planted" not in rv


@pytest.mark.parametrize(
    ("error", "topic"),
    [
        (AuthorizationError("[Error 29] TopicAuthorizationFailedError: {'nhip.payments'}"), PAYMENTS),
        (AuthorizationError("TopicAuthorizationFailedError: nhip.payments"), PAYMENTS),
        (AuthorizationError(""), DOSSIERS),
        (AuthorizationError("ClusterAuthorizationFailedError: The producer is not authorized"), DOSSIERS),
        (KafkaError("Unexpected error in InitProducerIdResponse: ClusterAuthorizationFailedError"), DOSSIERS),
        (KafkaError("the disk is full"), None),
        (OSError("reset"), None),
    ],
)
def test_a_record_that_must_not_be_written_is_recognised(error: Exception, topic: str | None) -> None:
    """The topic that Kafka named counts, not that of a record that failed with it."""
    rv = write_refused(ACCESS, DOSSIERS, error)

    assert (rv and f"Write on topic {topic}." in str(rv)) if topic else rv is None
