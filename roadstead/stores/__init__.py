"""Where things are kept: a Protocol per role, and the implementations on DynamoDB, S3, KMS, SSM and in memory.

Only this package imports boto3. Stores know neither HTTP nor the codes of the specification: `find_*` answers None
for what is absent, `get_*` raises, and conditions that failed are the exceptions of `roadstead.stores.conflicts`.
"""
