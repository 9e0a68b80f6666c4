"""Signing in without a kept secret: what takes the place of a robot's secret is made afresh each time.

`sources` make it: from AWS credentials, or from the identity token of a CI. `registries` keeps which robot and which
source belong to which registry. `docker_helper` gives the result to Docker, Podman and every client that knows
credential helpers.
"""
