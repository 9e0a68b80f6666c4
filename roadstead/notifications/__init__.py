"""Webhooks: subscriptions, payloads, signatures, deliveries."""
