"""The registry's configuration, by system administrators."""

from __future__ import annotations

from functions.management.call import Call
from functions.management.errors import ManagementCode, ManagementError, bad_request
from functions.management.route import HARBOR, SystemAdmin, route
from roadstead.http import Response
from roadstead.identity.configuration_keys import (
    KEYS,
    ConfigurationFixed,
    ConfigurationRefused,
    ConfigurationUnsupported,
)


def get_configurations(call: Call) -> Response:
    """Every key as `{"value", "editable"}`; secrets are left out. Costs one read."""
    values = call.services.administration.values()
    return Response.json(200, {name: {"value": values[name], "editable": not KEYS[name].fixed} for name in values})


def update_configurations(call: Call) -> Response:
    """Change some keys, all or none. Raises 400; 403 for a key that is fixed.

    Other processes learn of it within the minute for which they remember the configuration.
    """
    try:
        call.services.administration.change(call.document(), call.actor)
    except ConfigurationFixed as error:
        raise ManagementError(ManagementCode.FORBIDDEN, str(error)) from error
    except ConfigurationUnsupported as error:
        raise ManagementError(ManagementCode.UNSUPPORTED, str(error)) from error
    except ConfigurationRefused as error:
        raise bad_request(str(error)) from error
    call.services.configuration.refresh()
    return Response(200)


_CONFIGURATIONS = f"{HARBOR}/configurations"

ROUTES = (
    route("getConfigurations", "GET", _CONFIGURATIONS, SystemAdmin(), get_configurations),
    route("updateConfigurations", "PUT", _CONFIGURATIONS, SystemAdmin(), update_configurations),
)
