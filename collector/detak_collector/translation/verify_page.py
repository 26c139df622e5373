"""The sentences of the page `detak-verify.html`, which is put together outside of this package."""

from __future__ import annotations

from detak_collector.translation.language import mark

WORDS = (
    mark("(proposed by {proposed}, approved by {approved})"),
    mark(
        "An old report or mail names the head of the chain. Only such a head, kept elsewhere, shows that the "
        "chain was not made anew as a whole."
    ),
    mark("Any number to draw by"),
    mark("Chain, facts, entries and figure hold, and the head that you kept is one of this chain."),
    mark("Chain, facts, entries and figure hold. No head that you kept was compared yet."),
    mark("Check a bundle"),
    mark("Checking files, chain and facts"),
    mark("Choose the file, or drop it anywhere on this page."),
    mark("Compare"),
    mark("Compare a head that you kept"),
    mark("Compute"),
    mark("Computing"),
    mark("Derived again from the same evidence, the figure is another one."),
    mark("Deriving the figure: {number} of {of} months"),
    mark(
        "Detak is under the Apache License 2.0. Python runs here as Pyodide, unchanged, under the Mozilla Public "
        "License 2.0; its sources are at github.com/pyodide/pyodide."
    ),
    mark("Draw"),
    mark("Draw a random sample"),
    mark("Exactly as detak-verify.pyz says it"),
    mark("Exclusions, declarations or the catalogue are not as they were entered."),
    mark("Explain"),
    mark("Explain an outage"),
    mark("How many"),
    mark("In this page: detak-verify.pyz, SHA-256 {digest}, rule version {rules}; Python {version}."),
    mark("It could not be checked:"),
    mark("Its number in the report, or its id"),
    mark("Lines of the records"),
    mark("Not observed"),
    mark("Not sound"),
    mark("Outage {number}"),
    mark(
        "Outages and spans, each with the lines of its records. The same number draws the same, so that nobody "
        "chose it and anybody can draw it again."
    ),
    mark("Print"),
    mark("SHA-256 of the file"),
    mark("SHA-256 of the result"),
    mark("Sound"),
    mark("Spans"),
    mark("Starting Python in this page"),
    mark("Stop"),
    mark("Target met"),
    mark("Target missed"),
    mark("The bundle, a file that Detak made"),
    mark("The chain of records does not hold: something in it was altered, left out, added or put elsewhere."),
    mark("The figure without an exclusion"),
    mark("The figure, derived again"),
    mark("The first that is wrong:"),
    mark("The head"),
    mark("The id of an exclusion or declaration"),
    mark("The page holds this program unchanged; to run it with Python instead:"),
    mark(
        "This chain does not have the head that you kept: it was made anew or cut off, or what you typed is not "
        "its head."
    ),
    mark("Those of which most is counted"),
    mark("What the figure was derived from is not what was recorded."),
    mark("What was checked"),
    mark(
        "Whether a downtime figure follows from its evidence is computed here, in this browser, by the very "
        "program that auditors run. It needs no network, and nothing that you choose leaves this page."
    ),
    mark("as it is"),
    mark("as of"),
    mark("blocks"),
    mark("bundled"),
    mark("certain to possible"),
    mark("chain"),
    mark("change"),
    mark("counted"),
    mark("coverage"),
    mark("drill"),
    mark("expected NUMBER:HEX as a report or a mail has it, or the 64 digits of HEX alone"),
    mark("facts"),
    mark("file"),
    mark("files in it"),
    mark("group"),
    mark("head that you kept"),
    mark("holds to the head"),
    mark("is one of them"),
    mark("lasted"),
    mark("met"),
    mark("missed"),
    mark("must be a whole number"),
    mark("must be from 1 to 10000"),
    mark("no number"),
    mark("no service time"),
    mark("no verdict"),
    mark("not compared"),
    mark("not counted"),
    mark("period"),
    mark("proof"),
    mark("save detak-verify.pyz"),
    mark("service time"),
    mark("still running"),
    mark("target {target} %"),
    mark("undecided"),
    mark("without {name}"),
    mark("{carried} of {blocks} came with their records"),
    mark("{number} more records, by their numbers, were still open or are not in this bundle"),
    mark("{number} s"),
    mark("{number}, each as bundle.json says"),
    mark("{outages} outages and {spans} spans, drawn by {seed}"),
    mark("{spans} closed spans compared with their records, {open} still open"),
)
"""Each as the page has it, and the refusals of what is typed into it."""
