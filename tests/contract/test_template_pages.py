"""The pages in the template: one origin, one reader of the bucket, and the security policy that browser tests use."""

from __future__ import annotations

import json
import re

from local.cloud.pages import CONTENT_SECURITY_POLICY, HEADERS
from tests.contract.transformed import properties, resource, template


def test_there_are_no_pages_unless_they_are_switched_on() -> None:
    assert template()["Parameters"]["Pages"]["Default"] == "false"
    names = [name for name in template()["Resources"] if name.startswith("Pages")]
    assert names == ["PagesBucket", "PagesBucketPolicy", "PagesReader", "PagesHeaders", "PagesDistribution"]
    assert {resource(name)["Condition"] for name in names} == {"HasPages"}
    outputs = {name: found for name, found in template()["Outputs"].items() if name.startswith("Pages")}
    assert {found["Condition"] for found in outputs.values()} == {"HasPages"}


def test_the_policy_is_that_of_make_serve_with_the_issuer_added() -> None:
    headers = properties("PagesHeaders")["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    written, variables = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    assert re.sub(r" \$\{\w+\}//\$\{\w+\} \$\{PagesSignInOrigins\}", "", written) == CONTENT_SECURITY_POLICY
    assert {json.dumps(value) for value in variables.values()} == {
        json.dumps({"Fn::Select": [index, {"Fn::Split": ["/", {"Ref": "JwtIssuer"}]}]}) for index in (0, 2)
    }
    served = dict(HEADERS)
    assert headers["ReferrerPolicy"]["ReferrerPolicy"] == served["Referrer-Policy"]
    assert served["X-Content-Type-Options"] == "nosniff"
    assert headers["ContentTypeOptions"]["Override"] is True


def test_the_api_has_the_origin_of_the_pages_and_its_answers_are_not_cached() -> None:
    config = properties("PagesDistribution")["DistributionConfig"]
    (api,) = config["CacheBehaviors"]
    assert (api["PathPattern"], api["TargetOriginId"]) == ("/v1/*", "api")
    assert (api["MinTTL"], api["DefaultTTL"], api["MaxTTL"]) == (0, 0, 0)
    assert api["ForwardedValues"] == {"QueryString": True, "Headers": ["Authorization"]}
    origins = {origin["Id"]: json.dumps(origin["DomainName"]) for origin in config["Origins"]}
    assert "Api.ApiEndpoint" in origins["api"] or '"Api", "ApiEndpoint"' in origins["api"]
    assert "PagesBucket" in origins["pages"]


def test_only_cloudfront_reads_the_files_and_it_cannot_change_them() -> None:
    refused, *allowed = properties("PagesBucketPolicy")["PolicyDocument"]["Statement"]
    assert refused["Effect"] == "Deny"
    assert [statement["Action"] for statement in allowed] == ["s3:GetObject", "s3:ListBucket"]
    assert {json.dumps(statement["Principal"]) for statement in allowed} == {
        json.dumps({"CanonicalUser": {"Fn::GetAtt": ["PagesReader", "S3CanonicalUserId"]}})
    }
    assert all(properties("PagesBucket")["PublicAccessBlockConfiguration"].values())
    assert "AllowedMethods" not in properties("PagesDistribution")["DistributionConfig"]["DefaultCacheBehavior"]


def test_what_mainland_china_does_not_have_is_not_used() -> None:
    """Its CloudFront refuses cache policies and knows no origin access control; certificates are in IAM."""
    config = json.dumps(properties("PagesDistribution"))
    assert "CachePolicyId" not in config
    assert "OriginAccessControlId" not in config
    certificate = properties("PagesDistribution")["DistributionConfig"]["ViewerCertificate"]["Fn::If"][1]
    assert certificate["IamCertificateId"]["Fn::If"][0] == certificate["AcmCertificateArn"]["Fn::If"][0] == "InChina"
