"""Checks baseboard controllers by Redfish."""
