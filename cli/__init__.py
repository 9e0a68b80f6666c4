"""The operator's command, `roadstead`: accounts, webhooks, keys, and the doctor; for a deployed registry and a local one.

Only `aws.py` touches boto3. Commands are functions of what it hands them, so that tests need no account.
"""
