"""Calls the API with the client that openapi-python-client generates. Arguments: the address and a token."""

import json
import sys

from levels_client import AuthenticatedClient
from levels_client.api.agency import get_own_view
from levels_client.api.public import get_card, get_publications, post_batch
from levels_client.models import BatchRequest

address, token = sys.argv[1:]
client = AuthenticatedClient(base_url=address, token=token, raise_on_unexpected_status=True)

own = get_own_view.sync("A-0042", client=client)
batch = post_batch.sync(client=client, body=BatchRequest(agency_ids=["A-0042", "A-9999"]))
months = get_publications.sync(client=client, limit=1)
refused = get_card.sync("A-9999", client=client)

print(
    json.dumps(
        {
            "level": own.level,
            "nearest": own.next_level.nearest_channel,
            "quotas": [benefit.quota for benefit in own.benefits],
            "missing": batch.missing,
            "months": [item.month for item in months.items],
            "refused": refused.type_,
        }
    )
)
