"""Event delivery to the webhook function: table streams, queues and log subscriptions."""
