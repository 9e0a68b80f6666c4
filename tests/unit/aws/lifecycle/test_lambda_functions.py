"""Waking the function that runs executions."""

from __future__ import annotations

import io
import json

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from roadstead.aws.lifecycle.lambda_functions import LambdaWaker
from tests import aws


def test_a_function_is_woken_without_waiting_for_it() -> None:
    client = aws.client("lambda")
    with Stubber(client) as stub:
        answer = {"StatusCode": 202, "Payload": StreamingBody(io.BytesIO(b""), 0)}
        expected = {
            "FunctionName": "harbour",
            "InvocationType": "Event",
            "Payload": json.dumps({"execution": 7}).encode(),
        }
        stub.add_response("invoke", answer, expected)
        LambdaWaker(client, "harbour")(7)
        stub.assert_no_pending_responses()


def test_a_function_that_cannot_be_woken_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    client = aws.client("lambda")
    with Stubber(client) as stub:
        stub.add_client_error("invoke", "TooManyRequestsException")
        LambdaWaker(client, "harbour")(7)
    assert "execution 7 waits for the next tick" in caplog.text
