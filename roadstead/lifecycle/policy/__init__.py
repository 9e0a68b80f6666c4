"""Policies of projects: rules that commits keep to, and quotas."""
