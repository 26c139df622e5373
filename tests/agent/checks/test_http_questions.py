from typing import Any

import h11
import pytest

from agent.checks.check_stage import problems_of, settings_of
from detak_agent.checks.kinds.http.address import NoWebAddressError, web_address
from detak_agent.checks.kinds.http.kind import HttpSettings
from detak_agent.checks.kinds.http.request import Question, first_question


def question(url: str = "http://a.example/old", **keys: Any) -> Question:
    settings = settings_of("http", url=url, **keys)
    assert isinstance(settings, HttpSettings)
    return first_question(settings)


def sent(asked: Question | None) -> dict[str, str]:
    assert asked is not None
    return {name.decode().title(): value.decode() for name, value in asked.request().headers}


def after(asked: Question, status: int, *locations: str) -> Question | None:
    headers = [(b"Location", location.encode()) for location in locations]
    return asked.after(h11.Response(status_code=status, headers=headers))


def where(asked: Question | None) -> str:
    assert asked is not None
    return f"{asked.method} {asked.address.scheme}://{asked.address.authority}{asked.address.target}"


def test_a_plain_request_says_who_asks_and_what_it_takes() -> None:
    assert sent(question()) == {
        "Host": "a.example", "User-Agent": "detak-agent", "Accept": "*/*", "Accept-Encoding": "gzip, deflate",
        "Connection": "close",
    }  # fmt: skip


def test_own_headers_take_the_place_of_the_usual_ones_in_whatever_case() -> None:
    headers = {"host": "b.example", "USER-AGENT": "me", "Acc": " x ", "X-Name": "käse", "connection": "keep-alive"}
    lines = sent(question(headers=headers))
    assert lines == {
        "Host": "b.example", "User-Agent": "me", "Accept": "*/*", "Accept-Encoding": "gzip, deflate", "Acc": "x",
        "X-Name": "käse", "Connection": "keep-alive",
    }  # fmt: skip


def test_a_post_says_how_long_its_body_is_and_of_what_type() -> None:
    lines = sent(question(method="POST", body="käse"))
    assert (lines["Content-Length"], lines["Content-Type"]) == ("5", "application/octet-stream")
    typed = sent(question(method="POST", headers={"content-type": "text/plain"}))
    assert (typed["Content-Length"], typed["Content-Type"]) == ("0", "text/plain")


@pytest.mark.parametrize(
    ("url", "authority", "server_name", "target"),
    [
        ("http://h", "h", "h", "/"),
        ("http://h:80/", "h", "h", "/"),
        ("http://h:443/", "h:443", "h", "/"),
        ("https://H.example.:443/?q", "h.example.", "h.example", "/?q"),
        ("https://[fe80::1%eth0]:8443/", "[fe80::1]:8443", "fe80::1", "/"),
        ("http://10.0.0.5:8080/a;b?c=d&e=%20#f", "10.0.0.5:8080", "10.0.0.5", "/a;b?c=d&e=%20"),
        ("https://bücher.example/käse?ö=|", "xn--bcher-kva.example", "xn--bcher-kva.example", "/k%C3%A4se?%C3%B6=%7C"),
        ("http://user:pass@under_score.example//x", "under_score.example", "under_score.example", "//x"),
    ],
)
def test_an_address_is_asked_for_as_browsers_do(url: str, authority: str, server_name: str, target: str) -> None:
    address = web_address(url)
    assert (address.authority, address.server_name, address.target) == (authority, server_name, target)


@pytest.mark.parametrize("url", ["ftp://h/", "//h/", "http:///x", "http://h:0/", "http://h:x/", "http://[::1/",
                                 "http://a%b/", "http://a b/", f"http://{'ä' * 70}.example/"])  # fmt: skip
def test_what_leads_nowhere_is_no_address(url: str) -> None:
    with pytest.raises(NoWebAddressError, match=r"must be|is no"):
        web_address(url)


def test_credentials_in_the_url_sign_in_and_are_not_shown() -> None:
    asked = question("http://j%C3%BCrgen:a%40b@a.example/")
    assert sent(asked)["Authorization"] == "Basic asO8cmdlbjphQGI="
    assert "a%40b" not in repr(asked)
    assert "asO8" not in repr(asked)


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/new", "GET http://a.example/new"),
        ("new?x#y", "GET http://a.example/new?x"),
        ("../up", "GET http://a.example/up"),
        ("?only", "GET http://a.example/old?only"),
        ("//b.example/", "GET http://b.example/"),
        ("https://b.example:444/", "GET https://b.example:444/"),
        ("https://[::1]/", "GET https://[::1]/"),
        ("/with a blank/ü", "GET http://a.example/with%20a%20blank/%C3%BC"),
    ],
)
def test_a_redirect_leads_where_a_browser_would_go(location: str, leads_to: str) -> None:
    assert where(after(question(), 302, location)) == leads_to


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://b.example/", "javascript:0", "https:///x",
                                      "http://[::1/", "http://b.example:99999/", "http://b%20c/"])  # fmt: skip
def test_a_redirect_to_no_web_address_is_refused(location: str) -> None:
    with pytest.raises(NoWebAddressError):
        after(question(), 302, location)


def test_an_answer_that_leads_nowhere_is_the_last() -> None:
    assert after(question(), 302) is None
    assert after(question(), 302, "") is None
    assert [after(question(), status, "/new") for status in (200, 201, 300, 304, 401)] == [None] * 5


@pytest.mark.parametrize(
    ("method", "status", "next_method"),
    [
        ("POST", 301, "GET"), ("POST", 302, "GET"), ("POST", 303, "GET"), ("POST", 307, "POST"), ("POST", 308, "POST"),
        ("HEAD", 301, "HEAD"), ("HEAD", 303, "HEAD"), ("GET", 303, "GET"), ("GET", 308, "GET"),
    ],
)  # fmt: skip
def test_the_status_says_whether_a_post_is_sent_again(method: str, status: int, next_method: str) -> None:
    keys: dict[str, Any] = {"body": "x", "headers": {"Content-Type": "text/plain"}} if method == "POST" else {}
    following = after(question(method=method, **keys), status, "/new")
    assert following is not None
    assert following.method == next_method
    assert (following.body, "Content-Type" in sent(following)) == (
        (b"x", True) if next_method == "POST" else (b"", False)
    )


def test_only_the_first_server_sees_what_is_for_it_alone() -> None:
    headers = {"Cookie": "id=7", "Host": "front.example", "X-Trace": "1", "Proxy-Authorization": "p"}
    asked = question("http://user:pass@a.example/", headers=headers)
    same, other, secure = (after(asked, 302, to) for to in ("/x", "http://b.example/", "https://a.example/"))
    secret = {"Cookie", "Authorization", "Proxy-Authorization"}
    assert secret <= set(sent(same))
    assert sent(same)["Host"] == "front.example"
    for gone in (sent(other), sent(secure)):
        assert not secret & set(gone)
        assert gone["X-Trace"] == "1"
    assert sent(other)["Host"] == "b.example"


@pytest.mark.parametrize(
    "keys",
    [
        {"headers": {"Content-Length": "5"}},
        {"headers": {"transfer-encoding": "chunked"}},
        {"headers": {"X": "a\x0bb"}},
        {"url": "http://u:p@h/", "headers": {"authorization": "Bearer x"}},
    ],
)
def test_headers_that_contradict_the_request_are_refused(keys: dict[str, object]) -> None:
    assert [key for key, _ in problems_of("http", **{"url": "http://h/", **keys})] == ["headers"]
