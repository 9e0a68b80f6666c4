"""Parameters of SSM: String and SecureString. They are encrypted as little as the rest of the state directory."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from local.cloud.database import Database
from local.cloud.errors import AwsError, validation

ACCOUNT = "000000000000"
LIMIT = 4096  # bytes of a value of the standard tier
_NAME = re.compile(r"/?[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+){0,14}")
_TYPES = ("String", "SecureString")


class Ssm:
    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def put(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name, value = str(request.get("Name", "")), request.get("Value")
        kind = request.get("Type", "")
        if not _NAME.fullmatch(name) or len(name) > 1011:
            raise validation(f"The name of a parameter has letters, digits and _ . - in up to 15 levels: {name!r}")
        if unknown := sorted(request.keys() - {"Name", "Value", "Type", "Overwrite", "Description", "Tier"}):
            raise validation(f"The embedded SSM does not have {', '.join(unknown)}.")
        if not isinstance(value, str) or not value:
            raise validation("A parameter has a value of at least one character.")
        if len(value.encode()) > LIMIT:
            raise validation(f"Standard tier parameters support a maximum parameter value of {LIMIT} characters.")

        def work(connection: sqlite3.Connection) -> int:
            row = connection.execute("SELECT type, version FROM parameters WHERE name=?", (name,)).fetchone()
            if row is not None and request.get("Overwrite") is not True:
                raise AwsError("ParameterAlreadyExists", "The parameter already exists. To overwrite it, say so.")
            if not kind and row is None:
                raise validation("A parameter type is required when you create a parameter.")
            if kind and kind not in _TYPES:
                raise AwsError("UnsupportedParameterType", f"The embedded SSM has the types {', '.join(_TYPES)}.")
            version = row[1] + 1 if row else 1
            values = (name, kind or row[0], value, version, int(time.time()))
            connection.execute("INSERT OR REPLACE INTO parameters VALUES (?, ?, ?, ?, ?)", values)
            return version

        return {"Version": await self._database.write(work), "Tier": "Standard"}

    def get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = str(request.get("Name", ""))
        row = self._database.reader.execute(
            "SELECT type, value, version, modified FROM parameters WHERE name=?", (name,)
        ).fetchone()
        if row is None:
            raise AwsError("ParameterNotFound", f"The parameter {name} does not exist.")
        kind, value, version, modified = row
        if kind == "SecureString" and request.get("WithDecryption") is not True:
            raise validation("The embedded SSM answers a SecureString with WithDecryption only.")
        return {"Parameter": self._described(name, kind, version, modified) | {"Value": value}}

    def get_by_path(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """All at once, where AWS has pages of ten."""
        path = str(request.get("Path", "")).rstrip("/")
        if request.get("Recursive") is not True or request.get("WithDecryption") is not False:
            raise validation("The embedded SSM lists what is below a path, at every level, without values.")
        rows = self._database.reader.execute(
            "SELECT name, type, version, modified FROM parameters WHERE substr(name, 1, ?) = ? ORDER BY name",
            (len(path) + 1, f"{path}/"),
        ).fetchall()
        return {"Parameters": [self._described(*row) for row in rows]}

    async def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = str(request.get("Name", ""))

        def work(connection: sqlite3.Connection) -> None:
            if not connection.execute("DELETE FROM parameters WHERE name=?", (name,)).rowcount:
                raise AwsError("ParameterNotFound", f"The parameter {name} does not exist.")

        await self._database.write(work)
        return {}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if request:
            raise validation("The embedded SSM describes all parameters, without filters or pages.")
        rows = self._database.reader.execute("SELECT name, type, version, modified FROM parameters").fetchall()
        return {"Parameters": [self._described(*row) | {"Tier": "Standard"} for row in rows]}

    def _described(self, name: str, kind: str, version: int, modified: int) -> dict[str, Any]:
        arn = f"arn:aws:ssm:{self._region}:{ACCOUNT}:parameter/{name.removeprefix('/')}"
        return {
            "Name": name,
            "Type": kind,
            "Version": version,
            "LastModifiedDate": modified,
            "ARN": arn,
            "DataType": "text",
        }
