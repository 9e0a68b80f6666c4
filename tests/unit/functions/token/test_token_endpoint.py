"""GET and POST /token, as the Docker registry's token specification and its clients have them."""

from __future__ import annotations

import base64
import datetime
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from functions.token.handlers.tokens import MAX_FORM
from functions.token.services import TokenServices
from roadstead.http import Request
from roadstead.identity.directory import Role
from roadstead.identity.tokens.jose import trusted_keys
from tests.unit.functions.token.token_client import FORM, Answer, TokenClient, basic
from tests.unit.identity.parts import NOON, PASSWORD, Harbour

PASSWORD_GRANT = (("grant_type", "password"), ("username", "ada"), ("password", PASSWORD))
GOOD_FORM = urlencode(PASSWORD_GRANT).encode()
ADA = basic("ada", PASSWORD)


@pytest.fixture
def harbour() -> Harbour:
    harbour = Harbour()
    harbour.accounts.create_user("root", PASSWORD, admin=True)
    harbour.accounts.create_user("ada", PASSWORD)
    harbour.accounts.create_project("ships")
    harbour.accounts.create_project("open", public=True)
    harbour.accounts.set_member("ships", "ada", Role.DEVELOPER)
    return harbour


@pytest.fixture
def client(harbour: Harbour) -> TokenClient:
    keys = harbour.keys
    return TokenClient(TokenServices(harbour.tokens, lambda: trusted_keys(keys, ("one", "two")), "roadstead"))


def access(harbour: Harbour, answer: Answer) -> list[str]:
    """The access in the token of an answer, as scopes."""
    assert answer.status == 200, answer.body
    assert answer.body["token"] == answer.body["access_token"]
    return [entry.scope() for entry in harbour.verifier.verify(answer.body["token"]).granted.access]


def sentence(answer: Answer) -> str:
    """The sentence of a refusal, which stands wherever some client looks for it."""
    (entry,) = answer.body["errors"]
    assert answer.body["details"] == entry["message"]
    assert entry["code"] == ("UNAUTHORIZED" if answer.status == 401 else "UNSUPPORTED")
    return str(entry["message"])


def test_an_answer_has_what_docker_reads(harbour: Harbour, client: TokenClient) -> None:
    answer = client.get(("service", "roadstead"), ("scope", "repository:ships/a:pull,push"), authorization=ADA)
    assert access(harbour, answer) == ["repository:ships/a:pull,push"]
    assert set(answer.body) == {"token", "access_token", "expires_in", "issued_at"}
    assert answer.body["expires_in"] == 900
    assert datetime.datetime.fromisoformat(answer.body["issued_at"]).timestamp() == NOON
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


def test_a_script_for_harbor_gets_a_token_of_ours_where_harbor_has_it(harbour: Harbour, client: TokenClient) -> None:
    query = (("service", "harbor-registry"), ("scope", "repository:ships/a:pull"))
    answer = client.send(Request("GET", "/service/token", query, (("authorization", ADA),)))
    assert access(harbour, answer) == ["repository:ships/a:pull"]


def test_scopes_are_repeated_or_parted_by_spaces(harbour: Harbour, client: TokenClient) -> None:
    scopes = ["repository:ships/a:pull", "repository:ships/b:push", "repository:open/c:*"]
    expected = ["repository:ships/a:pull", "repository:ships/b:push", "repository:open/c:pull"]
    repeated = client.get(*(("scope", scope) for scope in scopes), authorization=ADA)
    joined = client.get(("scope", " ".join(scopes)), authorization=ADA)
    posted = client.post(*PASSWORD_GRANT, ("scope", " ".join(scopes[:2])), ("scope", scopes[2]))
    assert access(harbour, repeated) == access(harbour, joined) == access(harbour, posted) == expected


def test_scopes_of_one_resource_are_one_entry(harbour: Harbour, client: TokenClient) -> None:
    answer = client.get(("scope", "repository:ships/a:pull"), ("scope", "repository:ships/a:push"), authorization=ADA)
    assert access(harbour, answer) == ["repository:ships/a:pull,push"]


@pytest.mark.parametrize("query", [(), (("scope", ""),), (("scope", " "),)])
def test_an_empty_scope_is_a_login(harbour: Harbour, client: TokenClient, query: tuple[tuple[str, str], ...]) -> None:
    assert access(harbour, client.get(*query, authorization=ADA)) == []
    assert access(harbour, client.post(*PASSWORD_GRANT, *query)) == []


@pytest.mark.parametrize("authorization", [None, basic("", ""), "basic Og=="])
def test_without_credentials_the_token_is_nobodys(
    harbour: Harbour, client: TokenClient, authorization: str | None
) -> None:
    answer = client.get(
        ("account", "ada"),
        ("scope", "repository:open/a:pull,push repository:ships/a:pull"),
        authorization=authorization,
    )
    assert access(harbour, answer) == ["repository:open/a:pull", "repository:ships/a:"]
    assert harbour.verifier.verify(answer.body["token"]).subject == ""


@pytest.mark.parametrize(
    "authorization",
    [basic("ada", "wrong"), basic("nobody", PASSWORD), basic("ada", ""), basic("", PASSWORD), basic("A B", "x")],
)
def test_wrong_credentials_are_challenged_alike(client: TokenClient, authorization: str) -> None:
    answer = client.get(("scope", "repository:open/a:pull"), authorization=authorization)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="roadstead", charset="UTF-8"'
    assert sentence(answer) == "the user name or the password is wrong"
    assert "error" not in answer.body
    assert answer == client.get(authorization=basic("ada", "wrong"))


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        ADA.replace("Basic", "Bearer"),
        "Basic YWRh",
        "Bearer eyJ.eyJ.c2ln",
        f"{ADA}, {ADA}",
        "Basic /////w==",
    ],
)
def test_credentials_that_cannot_be_read_are_wrong(client: TokenClient, authorization: str) -> None:
    answer = client.get(authorization=authorization)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert sentence(answer)


@pytest.mark.parametrize("password", ["with:colons:in it", "Brücke über die Förde", "sp ace + plus & und %41"])
def test_passwords_of_all_characters(harbour: Harbour, client: TokenClient, password: str) -> None:
    harbour.accounts.set_password("ada", password)
    assert client.get(authorization=basic("ada", password)).status == 200
    form = (("grant_type", "password"), ("username", "ada"), ("password", password))
    assert client.post(*form).status == 200


def test_the_scheme_is_read_in_any_case(client: TokenClient) -> None:
    encoded = ADA.partition(" ")[2]
    for authorization in (f"basic {encoded}", f"BASIC  {encoded} "):
        assert client.get(authorization=authorization).status == 200


@pytest.mark.parametrize("scope", ["repository", "repository:a/b", ":a/b:pull", "repository::pull", "a:b:c nonsense"])
def test_a_malformed_scope_is_refused(client: TokenClient, scope: str) -> None:
    got = client.get(("scope", scope), authorization=ADA)
    posted = client.post(*PASSWORD_GRANT, ("scope", scope))
    assert got.status == posted.status == 400
    assert "is not a scope" in sentence(got)
    assert posted.body["error"] == "invalid_scope"


def test_the_service_is_one_and_may_be_left_out(client: TokenClient) -> None:
    assert client.get(authorization=ADA).status == 200
    assert client.get(("service", ""), authorization=ADA).status == 200
    assert client.post(*PASSWORD_GRANT, ("service", "")).status == 200
    assert client.get(("service", "roadstead"), authorization=ADA).status == 200
    got = client.get(("service", "elsewhere"), authorization=ADA)
    posted = client.post(*PASSWORD_GRANT, ("service", "elsewhere"))
    assert got.status == posted.status == 400
    assert "'roadstead'" in sentence(got)
    assert posted.body["error"] == "invalid_request"


@pytest.mark.parametrize("query", [("offline_token", "true"), ("offline_token", "1"), ("access_type", "offline")])
def test_docker_login_gets_a_refresh_token(harbour: Harbour, client: TokenClient, query: tuple[str, str]) -> None:
    login = client.get(("account", "ada"), ("client_id", "docker"), query, authorization=ADA)
    refresh = ("refresh_token", login.body["refresh_token"])
    for _ in range(2):
        answer = client.post(
            ("grant_type", "refresh_token"),
            refresh,
            ("service", "roadstead"),
            ("client_id", "docker"),
            ("scope", "repository:ships/a:pull,push,delete"),
        )
        assert access(harbour, answer) == ["repository:ships/a:pull,push"]
        assert harbour.verifier.verify(answer.body["token"]).subject == "ada"
        assert "refresh_token" not in answer.body


@pytest.mark.parametrize(
    "query", [(), (("offline_token", "false"),), (("offline_token", ""),), (("access_type", "online"),)]
)
def test_a_refresh_token_is_given_only_when_asked_for(client: TokenClient, query: tuple[tuple[str, str], ...]) -> None:
    assert "refresh_token" not in client.get(*query, authorization=ADA).body
    assert "refresh_token" not in client.post(*PASSWORD_GRANT, *query).body


def test_a_post_by_password_gets_a_refresh_token_too_and_keeps_it(client: TokenClient) -> None:
    first = client.post(*PASSWORD_GRANT, ("client_id", "containerd-client"), ("access_type", "offline"))
    refresh = first.body["refresh_token"]
    again = client.post(("grant_type", "refresh_token"), ("refresh_token", refresh), ("access_type", "offline"))
    assert again.body["refresh_token"] == refresh


def test_a_post_says_what_was_granted(client: TokenClient) -> None:
    answer = client.post(*PASSWORD_GRANT, ("scope", "repository:ships/a:pull,delete repository:secret/b:pull"))
    assert answer.body["scope"] == "repository:ships/a:pull"
    assert client.post(*PASSWORD_GRANT).body["scope"] == ""


def test_a_post_of_an_empty_name_and_password_is_nobodys(harbour: Harbour, client: TokenClient) -> None:
    answer = client.post(
        ("grant_type", "password"), ("username", ""), ("password", ""), ("scope", "repository:open/a:pull")
    )
    assert access(harbour, answer) == ["repository:open/a:pull"]


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ((("grant_type", "password"), ("username", "ada"), ("password", "wrong")), 401, "invalid_grant"),
        ((("grant_type", "password"), ("username", "nobody"), ("password", PASSWORD)), 401, "invalid_grant"),
        ((("grant_type", "password"), ("username", ""), ("password", PASSWORD)), 401, "invalid_grant"),
        ((("grant_type", "password"), ("username", "ada"), ("password", "")), 401, "invalid_grant"),
        ((("grant_type", "refresh_token"), ("refresh_token", "rsrt_YWRh.AAAA")), 401, "invalid_grant"),
        ((("grant_type", "refresh_token"), ("refresh_token", "")), 400, "invalid_request"),
        ((("grant_type", "refresh_token"),), 400, "invalid_request"),
        ((("grant_type", "password"), ("username", "ada")), 400, "invalid_request"),
        ((("grant_type", "password"), ("password", PASSWORD)), 400, "invalid_request"),
        ((), 400, "invalid_request"),
        ((("grant_type", "authorization_code"), ("code", "x")), 400, "unsupported_grant_type"),
        ((("grant_type", "client_credentials"),), 400, "unsupported_grant_type"),
        ((("grant_type", ""),), 400, "unsupported_grant_type"),
        ((*PASSWORD_GRANT, ("password", "another")), 400, "invalid_request"),
        ((*PASSWORD_GRANT, ("grant_type", "refresh_token")), 400, "invalid_request"),
        ((*PASSWORD_GRANT, ("client_id", "x" * 129)), 400, "invalid_request"),
        (tuple((f"field{number}", "") for number in range(101)), 400, "invalid_request"),
    ],
)
def test_a_post_is_refused_in_the_words_of_oauth(
    client: TokenClient, fields: tuple[tuple[str, str], ...], status: int, error: str
) -> None:
    answer = client.post(*fields)
    assert (answer.status, answer.body["error"]) == (status, error)
    assert answer.body["error_description"] == sentence(answer)
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"grant_type":"password"}', FORM),
        (GOOD_FORM, "application/json"),
        (GOOD_FORM, ""),
        (GOOD_FORM, "multipart/form-data; boundary=x"),
        (b"grant_type=\xff\xfe", FORM),
        (b"grant_type=password&username=%ff&password=x", FORM),
        (GOOD_FORM + b"&unread=" + b"x" * (MAX_FORM + 1 - len(GOOD_FORM + b"&unread=")), FORM),
        (b"", FORM),
    ],
)
def test_a_body_that_is_no_form_of_bounded_size_is_refused(client: TokenClient, body: bytes, content_type: str) -> None:
    answer = client.post_bytes(body, content_type)
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")
    assert sentence(answer)


def test_a_form_of_the_greatest_size_is_read(client: TokenClient) -> None:
    form = GOOD_FORM + b"&unread="
    assert client.post_bytes(form + b"x" * (MAX_FORM - len(form))).status == 200


def test_the_forms_content_type_may_have_parameters(client: TokenClient) -> None:
    assert client.post(*PASSWORD_GRANT, content_type=f"{FORM}; charset=UTF-8").status == 200
    assert client.post(*PASSWORD_GRANT, content_type=FORM.upper()).status == 200


def test_credentials_in_the_query_of_a_post_are_not_read(client: TokenClient) -> None:
    request = Request("POST", "/token", PASSWORD_GRANT, (("content-type", FORM),))
    assert client.send(request).status == 400


def test_the_key_set_has_every_trusted_key(harbour: Harbour, client: TokenClient) -> None:
    answer = client.send(Request("GET", "/.well-known/jwks.json"))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/jwk-set+json"
    keys: list[dict[str, Any]] = answer.body["keys"]
    assert {key["kid"] for key in keys} == set(trusted_keys(harbour.keys, ("one", "two")))
    for key in keys:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256")
        assert len(base64.urlsafe_b64decode(key["x"] + "=")) == 32


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "get"])
def test_other_methods_are_told_which_there_are(client: TokenClient, method: str) -> None:
    for path, allowed in (
        ("/token", "GET, HEAD, POST"),
        ("/service/token", "GET, HEAD"),
        ("/.well-known/jwks.json", "GET, HEAD"),
    ):
        answer = client.send(Request(method, path))
        assert (answer.status, answer.headers["allow"]) == (405, allowed)
        assert answer.body["errors"][0]["code"] == "UNSUPPORTED"


@pytest.mark.parametrize("path", ["/", "/token/", "/tokens", "/v2/", "/.well-known/", "/token/../token"])
def test_there_is_nothing_elsewhere(client: TokenClient, path: str) -> None:
    answer = client.send(Request("GET", path))
    assert answer.status == 404
    assert answer.body["errors"][0]["code"] == "UNSUPPORTED"


@pytest.mark.parametrize(
    "header", [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "none"), ("origin", "https://evil.example")]
)
def test_a_browser_creates_no_project(harbour: Harbour, client: TokenClient, header: tuple[str, str]) -> None:
    query = (("scope", "repository:new/thing:pull,push"),)
    headers = (("authorization", basic("root", PASSWORD)), header)
    answer = client.send(Request("GET", "/token", query, headers))
    assert access(harbour, answer) == ["repository:new/thing:pull"]
    assert harbour.accounts.find_project("new") is None
    answer = client.send(Request("GET", "/token", query, headers[:1]))
    assert access(harbour, answer) == ["repository:new/thing:pull,push"]
    assert harbour.accounts.find_project("new") is not None


def test_after_five_failures_a_login_is_told_when_to_try_again(client: TokenClient) -> None:
    wrong = basic("ada", "wrong")
    statuses = [client.get(authorization=wrong, address="192.0.2.7").status for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    answer = client.get(authorization=ADA, address="192.0.2.7")
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    assert answer.body["errors"][0]["code"] == "TOOMANYREQUESTS"
    assert answer.body["details"].startswith("there were too many failed logins")
    assert "www-authenticate" not in answer.headers
    assert client.get(authorization=ADA, address="198.51.100.9").status == 200


def test_a_posted_login_during_a_pause_has_an_oauth_error(client: TokenClient) -> None:
    wrong = (("grant_type", "password"), ("username", "ada"), ("password", "wrong"))
    for _ in range(50):  # without an address, the name alone is counted
        assert client.post(*wrong).status == 401
    answer = client.post(*PASSWORD_GRANT)
    assert (answer.status, answer.body["error"]) == (429, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "1"


def test_a_lock_is_one_entry_of_the_trail_and_refusals_during_it_are_none(
    harbour: Harbour, client: TokenClient, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(30):
        client.get(authorization=basic("ada", "wrong"), address="192.0.2.7")
        harbour.clock.now += 20
    entries = [json.loads(line)["audit"] for line in capsys.readouterr().out.splitlines() if '"audit"' in line]
    assert [entry["operation"] for entry in entries] == ["login"] * 10 + ["lock-login"]
    assert entries[-1]["actor"]["name"] == entries[-1]["user"] == "ada"
    assert (entries[-1]["outcome"], entries[-1]["detail"]) == ("refused", "scope=name-and-address minutes=15")
