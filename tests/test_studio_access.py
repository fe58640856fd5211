"""Who may ask the studio, and what its answers carry."""

import httpx
import pytest

from commands import sentence, vectable
from studio import good, refused, running_studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    with running_studio(tmp_path_factory.mktemp("studio") / "projects") as running:
        yield running


def stranger(studio, method, path, **how):
    """A request without the cookie."""
    return httpx.request(method, f"{studio.address}{path}", **how)


@pytest.mark.parametrize("path", ["/", "/pages/app.js", "/api/start", "/v1/models", "/metrics"])
def test_without_the_cookie_nothing_is_answered(studio, path):
    assert "printed" in refused(stranger(studio, "GET", path), 403)


def test_the_token_opens_the_studio_once(studio):
    again = stranger(studio, "GET", "/start", params={"token": studio.token})
    assert "once" in refused(again, 403)
    assert "set-cookie" not in again.headers
    refused(stranger(studio, "GET", "/start", params={"token": "guessed"}), 403)
    assert studio.open().status_code == 303  # a browser that is in may open its bookmark


def test_the_cookie_is_kept_from_scripts_and_other_sites(studio):
    cookie = studio.open().headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_another_host_or_origin_is_refused(studio):
    refused(studio.get("/api/start", headers={"host": "rebound.example"}), 400)
    refused(studio.post("/api/projects", {"name": "a"}, headers={"origin": "http://evil.example"}), 403)
    refused(studio.get("/api/start", headers={"sec-fetch-site": "cross-site"}), 403)
    assert good(studio.get("/api/start"))["projects"] == []


def test_a_form_of_another_page_cannot_change_anything(studio):
    refused(studio.client.post("/api/projects", content=b'{"name":"a"}', headers={"content-type": "text/plain"}), 415)


def test_every_answer_carries_the_policy(studio):
    for path in ("/api/start", "/api/projects/none", "/v1/models", "/pages/none.js"):
        policy = studio.get(path).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';"), path
        assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/pages/../state.py",
        "/pages/%2e%2e/state.py",
        "/pages/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/pages//etc/passwd",
        "/api/projects/..%2f..%2fetc",
        "/api/projects/.hidden",
        "/api/projects/none/runs/..%2f1",
    ],
)
def test_paths_lead_nowhere_else(studio, path):
    refused(studio.get(path), 404)


def test_two_studios_do_not_share_a_folder(studio, tmp_path):
    with running_studio(tmp_path):
        assert "Another studio" in sentence(vectable("studio", tmp_path, "--no-open", "--port", 0))


def test_an_address_that_others_reach_is_refused(tmp_path):
    assert "this machine alone" in sentence(vectable("studio", tmp_path, "--no-open", "--host", "0.0.0.0"))
