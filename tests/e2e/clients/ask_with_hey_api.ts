// The API asked by the client that hey-api generates: arguments are the address and a token.
import { client } from "./generated/hey/client.gen";
import { getCard, getOwnView, getPublications, postBatch } from "./generated/hey/sdk.gen";

const [address = "", token = ""] = process.argv.slice(2);
client.setConfig({ baseUrl: address, auth: token });

const own = await getOwnView({ path: { agency_id: "A-0042" } });
const batch = await postBatch({ body: { agency_ids: ["A-0042", "A-9999"] } });
const months = await getPublications({ query: { limit: 1 } });
const refused = await getCard({ path: { agency_id: "A-9999" } });

console.log(
  JSON.stringify({
    level: own.data?.level,
    nearest: own.data?.next_level?.nearest_channel,
    quotas: own.data?.benefits.map((benefit) => benefit.quota),
    missing: batch.data?.missing,
    months: months.data?.items.map((item) => item.month),
    refused: refused.error && "type" in refused.error ? refused.error.type : null,
  }),
);
