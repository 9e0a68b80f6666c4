"""Every implementation on AWS: DynamoDB, S3, KMS, SSM, SQS, CloudWatch. The only part of the product with boto3."""
