"""The operator's command, `roadstead`: accounts, webhooks, keys and a doctor, for a deployed or a local registry.

Only `aws.py` imports boto3, and only `composition.py` the implementations of stores.
"""
