"""One connection to a directory: TLS, a deadline for everything, and a limit on what is read.

The library leaves both to the socket. So its socket is wrapped: each read and write gets what is left of the time, and
counts against the limit, however slowly or much the other side sends. Referrals are never followed.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPInvalidFilterError

from roadstead.identity.people import ProviderFailed
from roadstead.identity.providers.directories import LdapServer, LdapSettings

MAX_BYTES = 4 * 1024 * 1024  # read in one connection
SCOPES = (ldap3.BASE, ldap3.LEVEL, ldap3.SUBTREE)

# Result codes (RFC 4511, appendix A)
SUCCESS, SIZE_LIMIT, NO_SUCH_OBJECT, INVALID_DN = 0, 4, 32, 34
# What a directory says of an account that may not sign in: wrong password, locked, expired, restricted.
_REFUSED = frozenset({19, 48, 49, 50, 53})


class Deadline:
    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left. Raises TimeoutError if there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is over")
        return left


class GuardedSocket:
    """The socket that the library reads from and writes to."""

    def __init__(self, inner: socket.socket, deadline: Deadline) -> None:
        self.inner = inner
        self.deadline = deadline
        self._read = 0

    def recv(self, size: int) -> bytes:
        self.inner.settimeout(self.deadline.left())
        data = self.inner.recv(size)
        self._read += len(data)
        if self._read > MAX_BYTES:
            raise OSError(f"the directory sent more than {MAX_BYTES} bytes")
        return data

    def sendall(self, data: bytes) -> None:
        self.inner.settimeout(self.deadline.left())
        self.inner.sendall(data)

    def shutdown(self, how: int) -> None:
        self.inner.shutdown(how)

    def close(self) -> None:
        self.inner.close()


class _Tls(ldap3.Tls):  # type: ignore[misc]
    """TLS by Python's own rules: it verifies the host's name too, unless verification is off."""

    def __init__(self, context: ssl.SSLContext, deadline: Deadline) -> None:
        super().__init__()
        self._context = context
        self._deadline = deadline

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        plain = connection.socket.inner if isinstance(connection.socket, GuardedSocket) else connection.socket
        plain.settimeout(self._deadline.left())  # the whole handshake has this long
        wrapped = self._context.wrap_socket(plain, server_hostname=connection.server.host)
        connection.socket = GuardedSocket(wrapped, self._deadline)


class Connection:
    """An open connection. Its methods raise ProviderFailed."""

    def __init__(self, inner: Any, where: str) -> None:
        self._inner = inner
        self._where = where

    def bind_as_search_account(self, settings: LdapSettings) -> None:
        """Bind, anonymously if there is no search account."""
        if settings.search_dn and not settings.search_password:
            raise ProviderFailed("bind", "ldap_search_password is empty: set it, or leave ldap_search_dn empty, too")
        code = self._bind(settings.search_dn, settings.search_password)
        if code != SUCCESS:
            said = "refused the search account: check ldap_search_dn and ldap_search_password"
            raise ProviderFailed("bind", f"{self._where} {said} (result {code})")

    def is_password_of(self, dn: str, password: str) -> bool:
        """Bind as a person. An empty name or password would bind as nobody, and succeed."""
        if not dn or not password:
            return False
        code = self._bind(dn, password)
        if code == SUCCESS:
            return True
        if code in _REFUSED:
            return False
        raise ProviderFailed("sign-in", f"{self._where} could not check a password (result {code}): try again later")

    def search(
        self, base: str, scope: int, filter_: str, attributes: list[str], *, limit: int, key: str
    ) -> list[dict[str, Any]]:
        """Return up to `limit` + 1 entries: `dn`, and `raw_attributes` with values as bytes.

        `key` names the setting to check if the search fails.
        """
        arguments = {
            "search_base": base,
            "search_filter": filter_,
            "search_scope": SCOPES[scope],
            "attributes": attributes,
            "size_limit": limit + 1,
            "dereference_aliases": ldap3.DEREF_NEVER,
        }
        try:
            with self._failures("search"):
                self._inner.search(**arguments)
        except LDAPInvalidFilterError as error:
            raise ProviderFailed("search", f"{key}: {filter_[:200]!r} is not an LDAP filter") from error
        code = self._inner.result["result"]
        if code in (NO_SUCH_OBJECT, INVALID_DN):
            raise ProviderFailed("search", f"{self._where} has no entry {base[:200]!r}: check {key}")
        if code not in (SUCCESS, SIZE_LIMIT):
            raise ProviderFailed("search", f"{self._where} refused a search below {base[:200]!r} (result {code})")
        return [one for one in self._inner.response or () if one["type"] == "searchResEntry"]

    def _bind(self, dn: str, password: str) -> int:
        inner = self._inner
        # Bytes: the library would change some characters of a text, or refuse them.
        inner.user, inner.password = dn or None, password.encode() if dn else None
        inner.authentication = ldap3.SIMPLE if dn else ldap3.ANONYMOUS
        with self._failures("bind"):
            inner.bind()
        return int(inner.result["result"])

    @contextmanager
    def _failures(self, step: str) -> Iterator[None]:
        try:
            yield
        except LDAPInvalidFilterError:
            raise
        except Exception as error:
            # The library raises whatever its decoder stumbles over: a directory may send anything.
            raise ProviderFailed(step, f"{self._where} did not respond properly ({_reason(error)})") from error


@contextmanager
def connected(settings: LdapSettings, context: ssl.SSLContext, seconds: float) -> Iterator[Connection]:
    """Open a connection to the first server that takes one; it lives for `seconds`, opening included.

    Each server gets its share of what is left, so one that hangs leaves time for the next. Raises ProviderFailed that
    names each server and its reason.
    """
    deadline, failures, servers = Deadline(seconds), [], settings.servers
    for place, server in enumerate(servers):
        try:
            opening = Deadline(deadline.left() / (len(servers) - place)) if place < len(servers) - 1 else deadline
            inner = _open(server, context, opening, plain_text=not settings.verify_cert)
        except TimeoutError:
            break
        except ProviderFailed as error:
            failures.append(error)
            continue
        inner.socket.deadline = deadline
        try:
            yield Connection(inner, f"{server.host}:{server.port}")
            return
        finally:
            _close(inner)
    raise ProviderFailed(
        failures[0].step if failures else "connect", "; ".join(map(str, failures)) or "no time was left"
    )


def _open(server: LdapServer, context: ssl.SSLContext, deadline: Deadline, *, plain_text: bool) -> Any:
    where, inner = f"{server.host}:{server.port}", None
    try:
        at = ldap3.Server(
            server.host,
            server.port,
            use_ssl=server.tls,
            get_info=ldap3.NONE,
            tls=_Tls(context, deadline),
            allowed_referral_hosts=[],
            connect_timeout=deadline.left(),
        )
        inner = ldap3.Connection(
            at, auto_referrals=False, read_only=True, check_names=False, client_strategy=ldap3.SYNC
        )
        inner.open(read_server_info=False)
        if server.tls:
            return inner
        inner.socket = GuardedSocket(inner.socket, deadline)
        if _start_tls(inner) or plain_text:
            return inner
    except Exception as error:
        # The library wraps what a socket raises in exceptions of its own.
        _close(inner)
        raise ProviderFailed(*_explained(where, error)) from error
    _close(inner)
    raise ProviderFailed("tls", f"{where} has no StartTLS: use ldaps://, or enable it there")


def _start_tls(inner: Any) -> bool:
    """Return whether the server has StartTLS. Raises LDAPException if it has, and it fails."""
    inner.extended("1.3.6.1.4.1.1466.20037")
    if inner.result["result"] != SUCCESS:
        return False
    inner.server.tls.wrap_socket(inner)
    inner.tls_started = True
    return True


def _close(inner: Any) -> None:
    """Close a connection, also one that was never open to the end, whose socket the library forgets."""
    if inner is None:
        return
    opened = inner.socket
    with contextlib.suppress(LDAPException, OSError, AttributeError):
        inner.strategy.close()
    if opened is not None:
        with contextlib.suppress(OSError):
            opened.close()


def _explained(where: str, error: BaseException) -> tuple[str, str]:
    reason = _reason(error)
    if "CERTIFICATE_VERIFY_FAILED" in reason or isinstance(error, ssl.SSLCertVerificationError):
        return "tls", (
            f"the certificate of {where} is not valid ({reason}): give the function the authority that signed it in "
            "LDAP_CA_CERTIFICATES, and use the name in the certificate"
        )
    if isinstance(error, ssl.SSLError) or "SSL" in reason:
        return "tls", f"TLS with {where} failed ({reason}): ldaps:// is for its TLS port, ldap:// for the other one"
    return "connect", (
        f"there is no connection to {where} ({reason}): check ldap_url, the directory, and the network and security "
        "group of the function ldap"
    )


def _reason(error: BaseException) -> str:
    """Return what went wrong, in a line. The library's messages hold no password."""
    if isinstance(error, TimeoutError) or "timed out" in str(error) or "time is over" in str(error):
        return "no answer in time"
    return " ".join(str(error).split())[:200] or type(error).__name__
