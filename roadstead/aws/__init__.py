"""Every implementation on AWS: DynamoDB, S3, KMS, SSM, SQS, CloudWatch. Nothing else of the functions has botocore."""
