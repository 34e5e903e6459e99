"""Operate a warehouse: dead letters, retention by project, forgetting a user, backups.

Everything here speaks to the warehouse as the admin over the wire, so it runs the same against a ClickHouse server.
"""
