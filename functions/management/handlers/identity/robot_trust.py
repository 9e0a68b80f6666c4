"""Whose identity tokens, and which AWS credentials, a robot takes in place of its secret."""

from __future__ import annotations

from functions.management.call import Call
from functions.management.errors import bad_request
from functions.management.handlers.identity.robots import found_robot, own_accounts, refused_as_errors
from functions.management.route import OWN, SignedIn, route
from roadstead.http import Response
from roadstead.identity.permissions import Action
from roadstead.identity.providers.trust import RuleRefused, TrustRule, check_rules


def get_trust(call: Call, robot: str) -> Response:
    found = found_robot(call, robot, Action.READ)
    return Response.json(200, {"rules": [rule.as_json() for rule in found.trust]})


def set_trust(call: Call, robot: str) -> Response:
    """Replace the rules by which identity tokens count in place of the robot's secret. Raises 400, 403, 404."""
    found = found_robot(call, robot, Action.UPDATE)
    rules = call.document().get("rules")
    if not isinstance(rules, list):
        raise bad_request("rules must be a list of objects with issuer, audience and claims")
    issuers = call.services.configuration.read().text("keyless_issuers").split()
    try:
        checked = check_rules(map(TrustRule.from_json, rules), issuers)
    except RuleRefused as error:
        raise bad_request(str(error)) from error
    refused_as_errors(lambda: own_accounts(call).trust(found, checked))
    return Response(200)


_TRUST = f"{OWN}/robots/{{robot}}/trust"
ROUTES = (
    route("getRobotTrust", "GET", _TRUST, SignedIn(), get_trust),
    route("setRobotTrust", "PUT", _TRUST, SignedIn(), set_trust),
)
