"""Webhooks: who is notified of what, payloads, signatures, deliveries."""
