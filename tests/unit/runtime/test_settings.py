"""Settings from environment variables, and the errors of wrong ones."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.settings import Settings, describe_settings, load_settings


def test_every_setting_is_documented() -> None:
    rows = describe_settings()
    assert [variable for variable, _, _ in rows] == [f"QUANYU_{field.name.upper()}" for field in fields(Settings)]
    assert all(len(meaning) > 10 for _, _, meaning in rows)


def test_variables_are_typed_and_arguments_override_them() -> None:
    settings = load_settings({"QUANYU_PORT": "9", "QUANYU_DATA": "/d", "HOME": "/root"}, port=10, data=None)
    assert (settings.port, settings.data) == (10, Path("/d"))


def test_a_single_service_has_its_own_port() -> None:
    settings = load_settings({"QUANYU_TAGGING_ADDRESS": "tagging:81"})
    assert settings.default_port(("tagging",)) == 81
    assert settings.default_port(("identity", "tagging")) == 7400
    assert load_settings({"QUANYU_PORT": "0"}).default_port(("tagging",)) == 0


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"QUANYU_PORT": "eighty"}, "QUANYU_PORT must be a whole number"),
        ({"QUANYU_PORT": "70000"}, "QUANYU_PORT must be 0 to 65535"),
        ({"QUANYU_THREADS": "0"}, "QUANYU_THREADS must be at least 1"),
        ({"QUANYU_LOG_LEVEL": "loud"}, "QUANYU_LOG_LEVEL must be"),
        ({"QUANYU_PROT": "1"}, "did you mean QUANYU_PORT"),
        ({"QUANYU_TLS_KEY": "/k"}, "QUANYU_TLS_CERTIFICATE"),
        ({"QUANYU_HOST": "0.0.0.0"}, "without authentication"),
        ({"QUANYU_HOST": "example.org"}, "without authentication"),
    ],
)
def test_the_error_of_a_wrong_setting_names_it(environment: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        load_settings(environment)


@pytest.mark.parametrize("address", ["nonsense", "host:", "host:http", "host:70000", "host:-1"])
def test_the_error_of_an_address_without_a_port_names_the_setting(address: str) -> None:
    settings = load_settings({"QUANYU_TAGGING_ADDRESS": address})
    with pytest.raises(InvalidInput, match="QUANYU_TAGGING_ADDRESS must be host:port"):
        settings.default_port(("tagging",))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_authentication(host: str) -> None:
    assert load_settings({"QUANYU_HOST": host}).auth_token() is None


def test_the_token_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("secret\n")
    settings = load_settings({"QUANYU_HOST": "0.0.0.0", "QUANYU_AUTH_TOKEN_FILE": str(file)})
    assert settings.auth_token() == "secret"
    file.write_text("\n")
    with pytest.raises(InvalidInput, match="empty file"):
        settings.auth_token()
    for invalid in (b"\xff\xfe", b"two\nlines", "ключ".encode()):
        file.write_bytes(invalid)
        with pytest.raises(InvalidInput, match="one line of ASCII"):
            settings.auth_token()
    file.unlink()
    with pytest.raises(InvalidInput, match="cannot read"):
        settings.auth_token()
