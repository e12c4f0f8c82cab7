"""Where people see what the API serves."""

import pytest

from bot.github.web_addresses import issue_address


@pytest.mark.parametrize(
    ("api", "address"),
    [
        ("https://api.github.com", "https://github.com/acme/rocket/issues/{number}"),
        ("https://git.example/api/v3", "https://git.example/acme/rocket/issues/{number}"),
        ("http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080/acme/rocket/issues/{number}"),
    ],
)
def test_the_api_s_address_leads_to_the_pages(api, address) -> None:
    assert issue_address(api, "acme/rocket") == address
