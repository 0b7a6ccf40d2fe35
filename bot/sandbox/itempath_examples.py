"""Sites as they are found around Kardex Power Pick warehouses, for the demonstration and the tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sandbox.itempath import SimulatedItemPath

API_PAGE: tuple[Mapping[str, Any], ...] = (
    {
        "id": 1,
        "appId": 2,
        "name": "PowerPick",
        "url": "https://warehouse.example.com",
        "passwordExists": True,
        "tokenExists": False,
        "isTestable": True,
        "authentication": "Basic Authentication",
        "type": "MSSQL",
        "username": "warehouse_user",
        "status": 1,
        "latestConnection": "2026-05-07T13:30:00.602998",
        "creationDate": "2026-05-01T10:12:45.000000",
        "latestLog": {
            "id": 10,
            "creationDate": "2026-05-07T13:30:00.603010",
            "status": 1,
            "description": "Connection test complete",
            "error": None,
            "appId": 2,
            "integrationId": None,
            "workflowId": None,
            "taskId": None,
            "time": 0.42,
        },
        "integrationCount": 3,
        "lastCheck": "2026-05-07T13:30:00.603010",
    },
    {
        "id": 2,
        "appId": 2,
        "name": "Web Services",
        "url": "https://api.example.com",
        "passwordExists": False,
        "tokenExists": True,
        "isTestable": True,
        "authentication": "HMAC Authentication",
        "type": "REST",
        "username": "api-user",
        "status": 0,
        "latestConnection": "2026-05-06T08:15:12.120000",
        "creationDate": "2026-05-02T09:00:00.000000",
        "latestLog": None,
        "integrationCount": 1,
        "lastCheck": "2026-05-07T08:16:00.000000",
    },
)
"""The two connections of ItemPath's own page on its API, value for value."""

_MORE: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "berlin": (
        {
            "name": "SAP S/4HANA Orders",
            "type": "REST",
            "url": "https://s4.berlin.example.com/sap/opu/odata/sap/API_WHSE_ORDER",
            "authentication": "OAuth 2.0",
            "username": "ITEMPATH_RFC",
            "tokenExists": True,
            "integrationCount": 8,
            "appId": 3,
        },
        {
            "name": "Shuttle XP PLC",
            "type": "PLC",
            "url": "10.20.4.17",
            "authentication": "None",
            "username": None,
            "passwordExists": False,
            "integrationCount": 2,
            "appId": 4,
        },
        {
            "name": "Pick-to-Light Gateway",
            "type": "REST",
            "url": "http://10.20.4.40:8080/ptl",
            "authentication": "API Key",
            "username": None,
            "passwordExists": False,
            "tokenExists": True,
            "isTestable": False,
            "integrationCount": 1,
            "appId": 4,
        },
    ),
    "rotterdam": (
        {
            "name": "DB2 Host Inventory",
            "type": "IBM DB2",
            "url": "as400.rotterdam.example.com:446/PRODLIB",
            "username": "ITPATH",
            "integrationCount": 5,
            "appId": 3,
        },
        {
            "name": "Shopfront GraphQL",
            "type": "GraphQL",
            "url": "https://shop.example.com/admin/api/graphql.json",
            "authentication": "Bearer Token",
            "username": None,
            "passwordExists": False,
            "tokenExists": True,
            "integrationCount": 4,
            "appId": 5,
        },
        {
            "name": "Megamat Carousel PLC",
            "type": "PLC",
            "url": "10.31.0.9",
            "authentication": "None",
            "username": None,
            "passwordExists": False,
            "integrationCount": 2,
            "appId": 4,
        },
        {
            "name": "Carrier Labels",
            "type": "REST",
            "url": "https://labels.carrier.example.com/v2",
            "authentication": "HMAC Authentication",
            "username": "rtm-dock-2",
            "tokenExists": True,
            "integrationCount": 1,
            "appId": 5,
        },
    ),
    "graz": (
        {
            "name": "Dynamics 365 Business Central",
            "type": "REST",
            "url": "https://bc.graz.example.com/api/v2.0",
            "authentication": "OAuth 2.0",
            "username": "itempath@graz.example.com",
            "tokenExists": True,
            "integrationCount": 6,
            "appId": 3,
        },
    ),
}
EXAMPLE_SITES = tuple(_MORE)
"""The names that `example_site` knows by heart; the first two differ most."""


def example_site(name: str, **options: Any) -> SimulatedItemPath:
    """A site with the API page's two connections first; `options` as of `SimulatedItemPath`."""
    return SimulatedItemPath(name, connections=(*API_PAGE, *_MORE.get(name, ())), **options)
