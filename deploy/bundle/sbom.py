"""The list of all parts as CycloneDX JSON: names, versions, licences, digests, addresses, and what needs what."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from deploy.bundle.parts import Part

__all__ = ["SbomError", "sbom"]

ROOT = "nhip"


class SbomError(Exception):
    """The list does not fit CycloneDX's own schema."""


def sbom(parts: Sequence[Part], made_at: datetime) -> str:
    """Return the document, the same for the same parts. Raises SbomError when it does not fit the schema.

    One of the parts is nhip itself: it becomes what the document is about.
    """
    components = {part.name: _component(part) for part in parts}
    root = components[ROOT]
    bom = Bom(
        components=[component for component in components.values() if component is not root],
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, _content(parts)),
        metadata=BomMetaData(component=root, timestamp=made_at.astimezone(UTC)),
    )
    for part in parts:
        needs = _needs(part, parts)
        bom.register_dependency(components[part.name], [components[name] for name in needs if name in components])
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise SbomError(f"CycloneDX does not accept the list of parts: {fault}")
    return text + "\n"


def _needs(part: Part, parts: Iterable[Part]) -> Iterable[str]:
    """Return the names that a part needs. What is no package of Python is nhip's: Kafka, Java, the wall's charts."""
    if part.name != ROOT:
        return part.requires
    return (*part.requires, *(other.name for other in parts if other.kind != "pypi"))


def _component(part: Part) -> Component:
    purl = PackageURL(part.kind, part.group, part.name, part.version)
    licences = [] if part.licence is None else [LicenseFactory().make_from_string(part.licence)]
    platform = part.kind == "generic"
    own = ComponentType.APPLICATION if part.name == ROOT else ComponentType.LIBRARY
    return Component(
        name=part.name,
        type=ComponentType.PLATFORM if platform else own,
        group=part.group,
        version=part.version,
        description=part.says,
        bom_ref=purl.to_string(),
        purl=purl,
        licenses=licences,
        hashes=[] if part.sha256 is None else [HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)],
    )


def _content(parts: Sequence[Part]) -> str:
    return "\n".join(sorted(f"{part.kind}:{part.group}:{part.name}:{part.version}:{part.sha256}" for part in parts))
