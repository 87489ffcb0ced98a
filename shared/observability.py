"""One logger and one metrics object for each function; service names come from Powertools' own environment variables.

Traces need no code: Lambda's active tracing records each invocation (template.yaml).
"""

from aws_lambda_powertools import Logger, Metrics

logger = Logger()
metrics = Metrics(namespace="mcn-levels")
