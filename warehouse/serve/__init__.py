"""A CAVE service over loopback: what a client asks for, answered from local rows.

It speaks the protocol of the info, schema and materialization services as far as `caveclient` uses
it, so that snapshots, lessons and tests run against a server without leaving the machine::

    datastack = from_warehouse(Folder.of())
    with serve(datastack) as service:
        client = CAVEclient(datastack.name, server_address=service.url, auth_token=service.token)

By default it answers correctly. With `faithful=True` it reproduces the bugs of the real server;
`warehouse.demo.faults` makes it fail in the ways in which the real one fails.
"""

from warehouse.serve.auth import Grant
from warehouse.serve.gate import LoggedRequest
from warehouse.serve.served import (
    Kind,
    Served,
    ServedColumn,
    ServedDatastack,
    ServedTable,
    ServedVersion,
    ServedView,
    columns_of,
)
from warehouse.serve.server import Running, serve
from warehouse.serve.sources import from_warehouse

__all__ = [
    "Grant",
    "Kind",
    "LoggedRequest",
    "Running",
    "Served",
    "ServedColumn",
    "ServedDatastack",
    "ServedTable",
    "ServedVersion",
    "ServedView",
    "columns_of",
    "from_warehouse",
    "serve",
]
