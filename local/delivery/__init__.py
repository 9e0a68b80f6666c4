"""Delivers events to the webhook function: from table streams, queues and log subscriptions."""
