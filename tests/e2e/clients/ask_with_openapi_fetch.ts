// The API asked by openapi-fetch with the types of openapi-typescript: arguments are the address and a token.
import createClient from "openapi-fetch";
import type { paths } from "./generated/schema";

const [address = "", token = ""] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${token}` } });

const own = await client.GET("/v1/agencies/{agency_id}/level", { params: { path: { agency_id: "A-0042" } } });
const batch = await client.POST("/v1/agencies/batch", { body: { agency_ids: ["A-0042", "A-9999"] } });
const months = await client.GET("/v1/publications", { params: { query: { limit: 1 } } });
const refused = await client.GET("/v1/agencies/{agency_id}", { params: { path: { agency_id: "A-9999" } } });

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
