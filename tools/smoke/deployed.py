"""A deployed stack as CloudFormation describes it: parameters, outputs, resources, and the template that was run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

from local.commandline import CREDENTIALS, REGION, UserMistake

PATIENCE = Config(read_timeout=300, retries={"mode": "standard", "total_max_attempts": 3})


@dataclass(frozen=True)
class Deployed:
    """A stack, and clients of the account and region that it is in.

    ``template``: after its transform, it says what every resource was meant to be. ``resources``: the name that AWS
    gave to each.
    """

    session: boto3.Session
    name: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    template: Mapping[str, Any]
    resources: Mapping[str, str]

    @classmethod
    def find(cls, session: boto3.Session, name: str) -> Deployed:
        """The stack with this name. Raises UserMistake when there is none."""
        if missing := [
            text
            for text, known in ((REGION, session.region_name), (CREDENTIALS, session.get_credentials()))
            if not known
        ]:
            raise UserMistake("\n".join(missing))
        try:
            cloudformation = session.client("cloudformation", config=PATIENCE)
            (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            raise UserMistake(
                f"{name}: there is no such stack in {session.region_name}. Expected the name that it was deployed "
                "with: make smoke STACK=<name>; and its region: export AWS_DEFAULT_REGION=<region>"
            ) from error
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}
        outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
        body = cloudformation.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
        template: Mapping[str, Any] = yaml.safe_load(body) if isinstance(body, str) else body
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        listed = [one for page in pages for one in page["StackResourceSummaries"]]
        resources = {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in listed}
        return cls(session, name, parameters, outputs, template, resources)

    def client(self, service: str) -> Any:
        return self.session.client(service, config=PATIENCE)  # type: ignore[call-overload]

    @property
    def emulated(self) -> bool:
        """Whether another program than AWS answers, as AWS_ENDPOINT_URL can have it."""
        return "amazonaws" not in self.client("s3").meta.endpoint_url

    def of_type(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """The properties that the template gives to the resources of a type that this stack has, by logical id."""
        return {
            name: one["Properties"]
            for name, one in self.template["Resources"].items()
            if one["Type"] == kind and name in self.resources
        }

    def meant(self, value: Any) -> Any:
        """A value of the template, where it is one by itself or a parameter; None for what only AWS knows."""
        if isinstance(value, dict):
            return self.parameters.get(value.get("Ref", ""))
        return value
