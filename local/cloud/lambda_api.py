"""Lambda's own API in front of the local API, so that commands for a deployed function also work here.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html and API_GetFunctionConfiguration.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

INVOKE = re.compile(r"/2015-03-31/functions/[^/]+/invocations")
CONFIGURATION = re.compile(r"/2015-03-31/functions/[^/]+/configuration")


def with_lambda(
    api: WSGIApplication, function: Callable[[dict[str, Any]], Any], variables: Mapping[str, str]
) -> WSGIApplication:
    """The API with a function that the AWS SDK's ``invoke`` reaches. Errors are answered as Lambda answers them.

    ``variables``: the environment in the function's configuration.
    """

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        asked = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        configuration = asked[0] == "GET" and CONFIGURATION.fullmatch(asked[1])
        if not configuration and not (asked[0] == "POST" and INVOKE.fullmatch(asked[1])):
            return api(environ, start_response)
        if "HTTP_ORIGIN" in environ:  # another site's page in the developer's browser
            start_response("403 Forbidden", [("Content-Length", "0")])
            return []
        headers = [("Content-Type", "application/json")]
        answer: Any
        try:
            if configuration:
                answer = {"Environment": {"Variables": dict(variables)}}
            else:
                answer = function(json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))))
        except Exception as error:  # noqa: BLE001 - whatever a function raises is an answer of Lambda's
            headers.append(("X-Amz-Function-Error", "Unhandled"))
            answer = {"errorMessage": str(error), "errorType": type(error).__name__}
        body = json.dumps(answer).encode()
        start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return application
