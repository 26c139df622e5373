# ruff: noqa: INP001 - a script's module, in no package
"""Writes down what is inside a package, as CycloneDX: each library, its version, its licence and its wheels."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from locks import Wheel
from packageurl import PackageURL
from programs import Program
from tree import Merged

FAMILY = uuid.UUID("6f7f9f0e-5b0c-4b52-9f0c-0d5e6b7a1c55")
"""The name space of our serial numbers: the same package has the same number."""


def bill(program: Program, content: Merged, *, version: str, machine: str, epoch: int) -> str:
    """The bill of materials of one package, as JSON: the same content gives the same bytes."""
    whole = Component(
        name=program.name,
        version=version,
        type=ComponentType.APPLICATION,
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
        bom_ref=program.name,
    )
    parts = [_component(*one) for one in content.libraries() if one[0] != program.name]
    bom = Bom(components=parts, serial_number=uuid.uuid5(FAMILY, f"{program.name} {version} {machine}"))
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, tz=UTC)
    bom.metadata.component = whole
    bom.register_dependency(whole, parts)
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def _component(name: str, version: str, by_python: dict[str, Wheel]) -> Component:
    wheels = {wheel.path.name: wheel for wheel in by_python.values()}
    said = licence(next(iter(wheels.values())))
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        licenses=[LicenseFactory().make_from_string(said)] if said else [],
        purl=PackageURL("pypi", None, name, version),
        bom_ref=f"{name}@{version}",
        properties=[Property(name="detak:python", value=python) for python in by_python],
        components=[_file(name, wheel) for _, wheel in sorted(wheels.items())],
    )


def _file(name: str, wheel: Wheel) -> Component:
    return Component(
        name=wheel.path.name,
        type=ComponentType.FILE,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
        bom_ref=f"{name}/{wheel.path.name}",
    )


def licence(wheel: Wheel) -> str:
    """What a wheel says of its licence: an expression, a word, or the last part of its classifiers; else nothing."""
    said = wheel.metadata
    if said.license_expression:
        return said.license_expression
    classified = [one.rpartition(" :: ")[2] for one in said.classifiers or [] if one.startswith("License :: ")]
    if said.license and len(said.license) < 60:
        return said.license
    return " and ".join(classified)
