"""Names that the CloudFront functions, the CDK app and the local emulator share."""

API, BLOBS, RELAY = "api", "blobs", "relay"  # the ids of the origins; request.js selects all but the first
REGISTRY, TOKEN = "registry", "token"  # of the function URLs, by which reads skip the API
SECRET_HEADER = "x-roadstead-secret"  # CloudFront adds it to origin requests
