"""The settings of a process: `QUANYU_*` environment variables, read once into a frozen object."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from quanyu.runtime.errors import InvalidInput

SERVICES = ("ingestion", "identity", "tagging", "delivery")
LARGEST_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Each field is the variable `QUANYU_<FIELD>`; `describe_settings` lists them."""

    data: Annotated[Path, "Data folder: logs, snapshots, the database and delivered files."] = Path("data")
    host: Annotated[str, "Address to listen on. Beyond loopback, QUANYU_AUTH_TOKEN_FILE must be set."] = "127.0.0.1"
    port: Annotated[
        int | None,
        "Port to listen on; 0 takes a free one. Unset: 7400 for all services, the service's own port for one.",
    ] = None
    ingestion_address: Annotated[str, "Address of the ingestion service, unless this process runs it."] = (
        "127.0.0.1:7401"
    )
    identity_address: Annotated[str, "Address of the identity service, unless this process runs it."] = "127.0.0.1:7402"
    tagging_address: Annotated[str, "Address of the tagging service, unless this process runs it."] = "127.0.0.1:7403"
    delivery_address: Annotated[str, "Address of the delivery service, unless this process runs it."] = "127.0.0.1:7404"
    database_url: Annotated[str | None, "SQLAlchemy URL. Unset: SQLite in `<data>/quanyu.db`."] = None
    auth_token_file: Annotated[
        Path | None, "File with the bearer token that callers must send, and that this process sends to other services."
    ] = None
    tls_certificate: Annotated[Path | None, "PEM certificate chain for serving TLS; needs QUANYU_TLS_KEY."] = None
    tls_key: Annotated[Path | None, "PEM key of QUANYU_TLS_CERTIFICATE."] = None
    tls_authority: Annotated[
        Path | None, "PEM certificate of the authority that signs the other services' certificates."
    ] = None
    threads: Annotated[int, "Calls that a process answers at once; an open stream counts as one."] = 32
    query_mib: Annotated[int, "MiB that one query may use beside the index; a larger query is refused."] = 1024
    approval: Annotated[
        str, "`required`: only approved proposals publish rules; `off`: PublishRule and RollBackRule do too."
    ] = "off"
    snapshot_mib: Annotated[int, "MiB of log that are folded between two snapshots of a workspace."] = 256
    snapshot_idle_seconds: Annotated[int, "Seconds without new events after which changed state is also written."] = 60
    stop_seconds: Annotated[int, "Seconds that running calls have to finish when the process stops."] = 20
    log_level: Annotated[str, "DEBUG, INFO, WARNING or ERROR."] = "INFO"
    log_format: Annotated[str, "`text`, or `json` for one object per line."] = "text"

    def __post_init__(self) -> None:
        _require(self.port is None or 0 <= self.port <= LARGEST_PORT, "port", f"be 0 to {LARGEST_PORT}")
        for name in ("threads", "query_mib", "snapshot_mib", "snapshot_idle_seconds"):
            _require(getattr(self, name) >= 1, name, "be at least 1")
        _require(self.stop_seconds >= 0, "stop_seconds", "not be negative")
        _require(self.approval in ("off", "required"), "approval", "be off or required")
        _require(
            self.log_level in ("DEBUG", "INFO", "WARNING", "ERROR"), "log_level", "be DEBUG, INFO, WARNING or ERROR"
        )
        _require(self.log_format in ("text", "json"), "log_format", "be text or json")
        _require(
            (self.tls_certificate is None) == (self.tls_key is None), "tls_key", "be set with QUANYU_TLS_CERTIFICATE"
        )
        if self.auth_token_file is None and not self.listens_on_loopback():
            raise InvalidInput(
                f"refusing to listen on {self.host} without authentication: "
                "set QUANYU_AUTH_TOKEN_FILE to a file with a secret token, or listen on 127.0.0.1",
                reason="AUTHENTICATION_REQUIRED",
            )

    def listens_on_loopback(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def address_of(self, service: str) -> str:
        """Returns `host:port` of a service that runs in another process."""
        return str(getattr(self, f"{service}_address"))

    def default_port(self, services: tuple[str, ...]) -> int:
        """Returns the port for these services: the set one, else the own port of a single service, else 7400."""
        if self.port is not None:
            return self.port
        if len(services) != 1:
            return 7400
        port = self.address_of(services[0]).rpartition(":")[2]
        _require(
            port.isascii() and port.isdigit() and int(port) <= LARGEST_PORT, f"{services[0]}_address", "be host:port"
        )
        return int(port)

    def auth_token(self) -> str | None:
        """Returns the token, or None if no file is set.

        Raises InvalidInput if the file cannot be read, is empty, or holds characters that a header cannot hold.
        """
        contents = read_setting_file(self.auth_token_file, "auth_token_file")
        if contents is None:
            return None
        token = contents.strip().decode("ascii", errors="replace")
        _require(
            token.isascii() and token.isprintable(),
            "auth_token_file",
            f"hold one line of ASCII letters, digits and signs ({self.auth_token_file})",
        )
        return token


def read_setting_file(path: Path | None, name: str) -> bytes | None:
    """Returns the contents of the file of setting `name`; raises InvalidInput if it is unreadable or empty."""
    if path is None:
        return None
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"QUANYU_{name.upper()}: cannot read {path}: {error.strerror}") from error
    _require(bool(contents.strip()), name, f"not point to an empty file ({path})")
    return contents


def load_settings(environment: Mapping[str, str], **given: Any) -> Settings:
    """Reads `QUANYU_*` variables; values in `given` that are not None override them.

    Raises InvalidInput that names a wrong or unknown variable.
    """
    hints = get_type_hints(Settings)
    known = {f"QUANYU_{name.upper()}": name for name in hints}
    values: dict[str, Any] = {}
    for variable, text in environment.items():
        if variable in known:
            values[known[variable]] = _parse(variable, hints[known[variable]], text)
        elif variable.startswith("QUANYU_"):
            near = difflib.get_close_matches(variable, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else " (in Kubernetes, set enableServiceLinks: false)"
            raise InvalidInput(f"unknown setting {variable}{hint}", reason="UNKNOWN_SETTING")
    return Settings(**values | {name: value for name, value in given.items() if value is not None})


def describe_settings() -> list[tuple[str, str, str]]:
    """Returns (variable, default, meaning) of every setting."""
    meanings = {name: get_args(hint)[-1] for name, hint in get_type_hints(Settings, include_extras=True).items()}
    return [
        (f"QUANYU_{f.name.upper()}", "" if f.default is None else str(f.default), meanings[f.name])
        for f in fields(Settings)
    ]


def _parse(variable: str, hint: Any, text: str) -> Any:
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not type(None)]
    if kinds[0] is not int:
        return kinds[0](text)
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(f"{variable} must be a whole number, not {text!r}", reason="INVALID_SETTING") from None


def _require(holds: bool, name: str, what: str) -> None:
    if not holds:
        raise InvalidInput(f"QUANYU_{name.upper()} must {what}", reason="INVALID_SETTING")
