"""CloudFront's part, by what the template says of it: behaviours, origins, methods, what is forwarded, headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

ALWAYS_PASSED_ON = ("content-type", "if-none-match")
"""What CloudFront hands on to an origin of its own accord, as far as the pages and the API have use for it."""


@dataclass(frozen=True)
class Behaviour:
    """How requests below a path are answered."""

    origin: str
    methods: tuple[str, ...]
    passed_on: tuple[str, ...]
    query: bool
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Distribution:
    """The distribution of a transformed template. ``known``: parameters, and attributes as ``Resource.Attribute``."""

    template: Mapping[str, Any]
    known: Mapping[str, str]

    @property
    def config(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._properties("PagesDistribution")["DistributionConfig"]
        return found

    @property
    def root(self) -> str:
        return str(self.config["DefaultRootObject"])

    def behaviour(self, path: str) -> Behaviour:
        """That of the first pattern that fits a path, or else the default one."""
        fits = (one for one in self.config["CacheBehaviors"] if fnmatchcase(path, one["PathPattern"]))
        found = next(fits, self.config["DefaultCacheBehavior"])
        forwarded = found["ForwardedValues"]
        policy = found.get("ResponseHeadersPolicyId")
        return Behaviour(
            origin=found["TargetOriginId"],
            methods=tuple(found.get("AllowedMethods", ("GET", "HEAD"))),
            passed_on=(*ALWAYS_PASSED_ON, *(name.lower() for name in forwarded.get("Headers", ()))),
            query=forwarded["QueryString"],
            headers=tuple(self._headers(policy["Ref"])) if policy else (),
        )

    def domain(self, origin: str) -> str:
        """The host of an origin."""
        (found,) = [one for one in self.config["Origins"] if one["Id"] == origin]
        return self.value(found["DomainName"])

    def value(self, written: Any) -> str:
        """What CloudFormation makes of a text of the template."""
        found = self._resolved(written)
        assert isinstance(found, str), written
        return found

    def _headers(self, policy: str) -> Iterator[tuple[str, str]]:
        """A response headers policy, as headers. A part that is not known here fails: nothing goes unseen."""
        said = self._properties(policy)["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
        for part, one in said.items():
            match part:
                case "ContentSecurityPolicy":
                    yield "Content-Security-Policy", self.value(one["ContentSecurityPolicy"])
                case "ReferrerPolicy":
                    yield "Referrer-Policy", one["ReferrerPolicy"]
                case "ContentTypeOptions":
                    yield "X-Content-Type-Options", "nosniff"
                case "StrictTransportSecurity":
                    yield "Strict-Transport-Security", f"max-age={one['AccessControlMaxAgeSec']}"
                case _:
                    raise KeyError(part)

    def _properties(self, resource: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.template["Resources"][resource]["Properties"]
        return found

    def _resolved(self, written: Any) -> Any:
        if not isinstance(written, dict):
            return [self._resolved(one) for one in written] if isinstance(written, list) else written
        ((function, given),) = written.items()
        match function:
            case "Ref":
                return self.known[given]
            case "Fn::GetAtt":
                return self.known[given if isinstance(given, str) else ".".join(given)]
            case "Fn::Split":
                separator, text = given
                return self.value(text).split(separator)
            case "Fn::Select":
                index, values = given
                return self._resolved(values)[int(index)]
            case "Fn::Sub":
                text, names = given if isinstance(given, list) else (given, {})
                for name, value in {**self.known, **{name: self._resolved(one) for name, one in names.items()}}.items():
                    text = text.replace("${" + name + "}", value)
                assert "${" not in text, text
                return text
        raise KeyError(function)
