"""The embedded AWS: a process of our own that keeps its state on the disk before it answers.

    __main__.py     the process: settings, sockets, the end
    http.py         HTTP/1.1, streamed both ways
    service.py      who may ask, and which service is meant
    signatures.py   Signature Version 4
    database.py     SQLite: one writer with group commit, reads beside it
    dynamodb/, s3/, kms.py, ssm.py, sqs.py, logs.py
    housekeeping.py TTL and the like
    faults.py       what tests make go wrong
    component.py    starts the process; endpoint.py, client.py and resources.py are its parent's, too

It has the calls that Roadstead makes; anything else is refused. docs/adr/0006-embedded-cloud.md says why it is ours.
"""
