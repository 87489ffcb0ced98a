"""The logger and the metrics of each function. Powertools' environment variables name the service.

Traces need no code: Lambda's active tracing records each invocation (template.yaml).
"""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
metrics = Metrics(namespace="mcn-levels")


def count_now(name: str) -> None:
    """Count one event at once, for kinds that are too rare to wait for the end of an invocation."""
    metrics.add_metric(name, MetricUnit.Count, 1)
    metrics.flush_metrics()
