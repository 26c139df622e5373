"""The sentences about tokens that are chosen by a value: what each may do, and why one is not made. Pure; no markup."""

from __future__ import annotations

from detak_collector.accounts.tokens import LABEL_CHARACTERS, LONGEST_MS, MOST_OF_ONE, Fault, Scope
from detak_collector.translation.language import mark

SCOPES = {
    Scope.READ: mark("read: everything that you see"),
    Scope.READ_PUBLIC: mark("read:public: what everybody sees"),
    Scope.PROPOSE: mark("propose: exclusions and declarations, in your name"),
    Scope.APPROVE: mark("approve: what others propose, in your name"),
    Scope.ANNOTATE: mark("annotate: what is said of outages, in your name"),
    Scope.AUDIT: mark("audit: the audit trail"),
    Scope.ADMIN: mark("admin: accounts, roles and nodes"),
}
FAULTS = {
    Fault.LABEL: mark("Say what it is for: one line of at most {characters} characters."),
    Fault.SCOPES: mark("Choose what it may do."),
    Fault.LIFETIME: mark("A token lives at most {days} days."),
    Fault.MANY: mark("There are {most} good tokens already: revoke one first."),
    Fault.ANOTHERS: mark(
        "Only its owner makes a token that acts in his name: for others there are read and read:public."
    ),
    Fault.RIGHTS: mark("No token may do more than its owner may."),
    Fault.NOBODY: mark("There is no such account, or it is disabled."),
}
LIMITS = {
    "characters": str(LABEL_CHARACTERS), "days": str(LONGEST_MS // 86_400_000), "most": str(MOST_OF_ONE),
}  # fmt: skip
"""What the sentences name."""

FIELDS = {
    Fault.LABEL: "label", Fault.SCOPES: "scopes", Fault.RIGHTS: "scopes", Fault.ANOTHERS: "scopes",
    Fault.LIFETIME: "days",
}  # fmt: skip
"""Beside which field of the form each is said; of the others above it."""
