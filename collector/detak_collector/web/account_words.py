"""The sentences of the pages of accounts that are chosen by a value: roles, notices, faults. Pure; no markup."""

from __future__ import annotations

from detak_collector.accounts.passwords import Fault
from detak_collector.accounts.roles import Role
from detak_collector.translation.language import mark

ROLES = {
    Role.VIEWER: mark("viewer: sees everything"),
    Role.OPERATOR: mark("operator: proposes exclusions and declarations"),
    Role.APPROVER: mark("approver: approves what others propose"),
    Role.AUDITOR: mark("auditor: reads everything, the audit trail too"),
    Role.ADMIN: mark("admin: accounts, roles and nodes"),
}

FAULTS = {
    Fault.SHORT: mark("Take at least 12 characters."),
    Fault.LONG: mark("Take at most 256 characters."),
    Fault.UNIFORM: mark("Take more different characters."),
    Fault.PERSONAL: mark("Take one without your name or mail address in it."),
}

UNEQUAL = mark("The two new passwords are not the same.")
REFUSED = mark("That is not right. Check the name and the password.")
WRONG_PASSWORD = mark("That is not your password.")
WRONG_CODE = mark("That code is not right, or was used already. Wait for the next one.")
HELD = mark("Too many attempts. Try again in {number} seconds.")

NOTICES = {
    "password-set": mark("Your password is set. Sign in with it."),
    "signed-out": mark("You have signed out."),
    "begin-again": mark("That took too long, or was wrong too often. Sign in again."),
    "password-changed": mark("Your password is changed, and your other sessions have ended."),
    "factor-on": mark("The second factor is on: from now on you sign in with a code too."),
    "factor-off": mark("The second factor is off."),
    "ended": mark("Ended."),
}
"""What a page may be asked to say, by what stands in its address."""
