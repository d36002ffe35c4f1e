"""Where the service is, and the token that opens it: both are found where caveclient finds them."""

from __future__ import annotations

from ingest.cave.refusals import bad_token, no_token
from warehouse.errors import SourceRefused


def default_server(datastack: str) -> str:
    """The address of the service that holds a datastack."""
    from caveclient.datastack_lookup import handle_server_address
    from caveclient.endpoints import default_global_server_address

    return str(handle_server_address(datastack, None) or default_global_server_address)


def require_token(server: str, token: str | None) -> str:
    """The token that caveclient would find; says how to get one if there is none."""
    from caveclient.auth import AuthClient

    try:
        found = AuthClient(server_address=server, token=token).token
    except (OSError, ValueError, AttributeError) as error:  # the latter when it holds no JSON object
        raise SourceRefused(
            f"caveclient's token file in ~/.cloudvolume/secrets cannot be read ({error}); "
            "delete it and save the token again"
        ) from error
    if not found:
        raise no_token()
    if not str(found).isascii() or not str(found).isprintable():
        raise bad_token()  # no header can carry it
    return str(found)
