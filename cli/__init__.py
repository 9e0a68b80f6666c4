"""The operator's command, `roadstead`: accounts, webhooks, keys, a doctor; for a deployed registry and a local one.

Only `aws.py` touches boto3, and only `composition.py` the implementations of stores.
"""
