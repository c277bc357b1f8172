"""The file of recipients: who is meant by a target, and what is refused without showing a secret."""

import os
from pathlib import Path

import pytest

from sinks.channels import ChannelError, open_channel, parse_channel
from sinks.recipients import Recipients, RecipientsError, load_recipients, parse_recipients
from sinks.recipients_file import RecipientsFile

MAIL = "mailto://nhip:${env:MAIL_PASSWORD}@smtp.example.org?from=nhip@example.org&to=duty@example.org"
FILE = f"""
[recipients.duty]
channels = ["{MAIL}", "zalo://${{file:/run/secrets/zalo}}/chat"]
per_hour = 5
[recipients.ward]
language = "vi"
[recipients.chief]
[groups]
operators = ["duty"]
leaders = ["chief", "duty", "chief"]
[units]
"75" = ["leaders"]
"25195" = ["ward", "operators"]
"""
ABOVE = {"25195": ("75",), "25200": ("75",), "75": ()}


def _resolve(found: Recipients, target: str, scope: str) -> tuple[str, ...]:
    return found.resolve(target, scope, lambda code: ABOVE.get(code, ()), {"gate": "operators"}.get)


@pytest.mark.parametrize(
    ("target", "scope", "names"),
    [
        ("unit", "unit:25195", ("ward", "duty")),
        ("unit", "unit:25200", ("chief", "duty")),
        ("unit", "unit:99999", ()),
        ("unit", "field:land", ()),
        ("owner", "source:gate", ("duty",)),
        ("owner", "source:other", ()),
        ("leaders", "system:stream", ("chief", "duty")),
        ("ward", "system:stream", ("ward",)),
        ("nobody", "system:stream", ()),
    ],
)
def test_a_target_means_names(target: str, scope: str, names: tuple[str, ...]) -> None:
    """A unit's own entry, else the nearest above it; the owner of a source; a group; a recipient; each once."""
    found = parse_recipients(FILE, "r.toml", ABOVE.__contains__)

    assert _resolve(found, target, scope) == names
    assert found.knows(target) == (target != "nobody")


def test_the_shipped_file_is_sound_and_has_no_addresses() -> None:
    """It names the groups that the shipped rules use, and sends nothing until channels are entered."""
    found, warnings = load_recipients(Path("config/recipients.toml"))

    assert {"operators", "engineers", "leaders"} <= found.groups.keys()
    assert not any(recipient.channels for recipient in found.recipients.values())
    assert warnings == ()


SECRET = "hunter2Geheim"  # noqa: S105 - planted, to be looked for


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"mailto://nhip:{SECRET}@smtp.example.org?to=a@example.org", "password in plain"),
        (f"mailto://nhip@smtp.example.org?from=n@example.org&pass={SECRET}", "'pass' in plain"),
        (f"tgram://123456789:{SECRET}abcdefghij/12", "token in plain"),
        (f"json://hook.example.org?+Authorization={SECRET}", "'Authorization' in plain"),
        (f"nosuch://{SECRET}", "unknown scheme 'nosuch'"),
        (f"https://hook.example.org/{SECRET}", "unknown scheme 'https'"),
        (f"{SECRET}", "unknown scheme ''"),
        (f"mailto://{SECRET}", "not a complete address"),
        ("mailto://smtp.example.org?from=n@example.org&to=a@example.org\\nBcc: x@example.org", "line break"),
        ("mailto://smtp.example.org?from=n@example.org&to=a@example.org%250d%250aBcc:x@example.org", "line break"),
        ("mailto://smtp.example.org?from=n@example.org&to=a@example.org,b@example.org", "leads to 2 places"),
        ("mailto://smtp.example.org?from=n@example.org&to=nobody", "no receiver"),
        ("mailto://smtp.example.org?from=n@example.org&cc=b@example.org", "parameter 'cc'"),
        ("json://hook.example.org/${TOKEN}", "no reference"),
        ("${env:URL}", "unknown scheme"),
        ("json://[::1", "no address"),
    ],
)
def test_a_channel_that_is_refused_names_its_place_and_not_its_content(address: str, said: str) -> None:
    """File, recipient, number of the channel and remedy, but nothing of the address."""
    text = f'[recipients.duty]\nchannels = ["json://hook.example.org", "{address}"]'

    with pytest.raises(RecipientsError, match=r"^r\.toml: recipients\.duty: channel 2 ") as caught:
        parse_recipients(text, "r.toml")

    assert said in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "example.org" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[groups]\nleaders = ["nobody"]', "groups.leaders names 'nobody', which is unknown"),
        ('[recipients.a]\n[units]\n"00000" = ["a"]', "units.00000 is not in the list of units"),
        ('[units]\n"75" = ["b"]', "units.75 names 'b'"),
        ("[recipients.unit]", "'unit' is no name"),
        ('[recipients."A b"]', "'A b' is no name"),
        ('[recipients.a]\n[groups]\na = ["a"]', "a recipient and a group"),
        ("[recipients.a]\nper_hour = 0", "per_hour"),
        ('[recipients.a]\nlanguage = "fr"', "language"),
        ("[recipients.a]\nchannel = []", "channel"),
        ("[recipients.a]\nper_hour = ten", "line 2"),
    ],
)
def test_a_faulty_file_is_refused_with_place_and_remedy(text: str, said: str) -> None:
    """Unknown members, units and keys, bad names, values out of range, broken TOML."""
    with pytest.raises(RecipientsError, match=r"^r\.toml: ") as caught:
        parse_recipients(text, "r.toml", {"75"}.__contains__)

    assert said in str(caught.value)


def test_nothing_prints_an_address() -> None:
    """Recipients, channels and the whole file show labels only."""
    found = parse_recipients(FILE, "r.toml")

    shown = f"{found!r} {found} {found.recipients['duty'].channels}"

    assert "mailto#1" in shown
    assert "smtp.example.org" not in shown
    assert "MAIL_PASSWORD" not in shown


@pytest.mark.parametrize("secret", ["p@ss/w%41rd", "a b+c&d=e?f#g:ü", "plain"])
def test_a_secret_reaches_the_service_as_it_is(secret: str, tmp_path: Path) -> None:
    """From the environment or a file, whatever characters it holds."""
    (tmp_path / "secret").write_text(secret + "\n", "utf-8")
    by_file = MAIL.replace("${env:MAIL_PASSWORD}", f"${{file:{tmp_path}/secret}}")
    text = f'[recipients.duty]\nchannels = ["{MAIL}", "{by_file}"]'
    channels = parse_recipients(text, "r.toml").recipients["duty"].channels

    services = [open_channel(channel, {"MAIL_PASSWORD": secret}) for channel in channels]

    assert [service.password for service in services] == [secret, secret]


@pytest.mark.parametrize(
    ("environ", "said"),
    [({}, "environment variable MAIL_PASSWORD"), ({"MAIL_PASSWORD": f"{SECRET}\r\nRCPT TO:"}, "control character")],
)
def test_a_secret_that_cannot_be_used_is_named_and_not_shown(environ: dict[str, str], said: str) -> None:
    """A reference that leads nowhere, or to a text with a line break."""
    channel = parse_recipients(FILE, "r.toml").recipients["duty"].channels[0]

    with pytest.raises(ChannelError, match=said) as caught:
        open_channel(channel, environ)

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read"), (b"\xff\xfe", "cannot be read"), (b" \n", "is empty")]
)
def test_a_file_without_a_secret_is_named_with_the_remedy(content: bytes | None, said: str, tmp_path: Path) -> None:
    """Absent, no text, or nothing in it: the error says which file and what to do."""
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    channel = parse_channel(MAIL.replace("${env:MAIL_PASSWORD}", f"${{file:{file}}}"), 1)

    with pytest.raises(ChannelError, match=f"needs the file {file}, which {said}: (make it|put the)"):
        open_channel(channel, {})


def test_recipients_in_another_encoding_are_refused_with_the_remedy(tmp_path: Path) -> None:
    """A file saved by an old editor names no wrong people."""
    path = tmp_path / "recipients.toml"
    path.write_bytes("# Người nhận\n".encode("utf-16"))

    with pytest.raises(RecipientsError, match=r"recipients\.toml: .*save the file as UTF-8"):
        load_recipients(path)


def test_a_secret_that_apprise_would_change_is_refused() -> None:
    """Values of parameters are decoded more than once: a percent sign with digits would not survive."""
    text = '[recipients.duty]\nchannels = ["json://hook.example.org?+X-Token=${env:T}"]'
    channel = parse_recipients(text, "r.toml").recipients["duty"].channels[0]

    with pytest.raises(ChannelError, match="percent sign"):
        open_channel(channel, {"T": "a%41"})


def test_a_changed_file_counts_at_once_and_a_broken_one_not(tmp_path: Path) -> None:
    """The last good recipients answer while the file is broken, and the problem can be read."""
    path = tmp_path / "recipients.toml"
    path.write_text(FILE)
    file = RecipientsFile(path, above=lambda _: (), owner=lambda _: None)
    before = file.resolve("operators", "system:stream")

    path.write_text("[groups]\noperators = ['nobody']")
    broken, problem = file.resolve("operators", "system:stream"), file.problem
    path.unlink()
    gone = file.resolve("operators", "system:stream")
    path.write_text("[recipients.night]\n[groups]\noperators = ['night']")
    after = file.resolve("operators", "system:stream")

    assert before == broken == gone == ("duty",)
    assert problem is not None
    assert "'nobody', which is unknown" in problem
    assert after == ("night",)
    assert file.problem is None
    assert file.recipient("duty") is None


def test_a_file_that_is_broken_at_the_start_tells_nobody_until_it_is_mended(tmp_path: Path) -> None:
    """The figures go on without it; the fault is known, and the mended file is read."""
    path = tmp_path / "recipients.toml"
    file = RecipientsFile(path, above=lambda _: (), owner=lambda _: None)
    before, problem = file.resolve("duty", "unit:75"), file.problem

    path.write_text("[recipients.duty]\n")

    assert before == ()
    assert problem is not None
    assert "cannot be read" in problem
    assert file.resolve("duty", "unit:75") == ("duty",)
    assert file.problem is None


def test_addresses_that_others_can_read_are_warned_of(tmp_path: Path) -> None:
    """Only a file with channels, and only until its mode is 0600."""
    path = tmp_path / "recipients.toml"
    path.write_text(FILE)

    warnings = []
    for mode in (0o644, 0o600):
        os.chmod(path, mode)  # noqa: PTH101 - says what it does
        warnings.append(load_recipients(path)[1])

    assert warnings == [(f"{path}: others can read the addresses: run chmod 600 {path}",), ()]
