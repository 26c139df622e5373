"""Checks network devices by SNMP."""
