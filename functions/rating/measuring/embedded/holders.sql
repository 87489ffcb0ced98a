-- What the orders are counted with: who holds each creator, by number.
--
-- Reads attributions (bindings.sql), and orders(creator_id), of which a sample tells the hot creators. Leaves holders
-- and numbered_attributions. Tables are dropped as soon as nothing reads them any more.

-- The attributions with a number for each holder, 0 for nobody: numbers are grouped and compared faster than texts.
CREATE TABLE holders AS
SELECT agency_id, CAST(row_number() OVER (ORDER BY agency_id) AS INTEGER) AS holder
FROM (SELECT DISTINCT agency_id FROM attributions) AS agency_ids
WHERE agency_id IS NOT NULL;

-- hot: the creator is one of the $hot_creators with most orders in a sample of $sampled_orders. It changes how fast
-- holders are found, never who they are.
CREATE TABLE numbered_attributions AS
WITH some_orders AS (
  SELECT creator_id FROM orders LIMIT $sampled_orders
),
hot AS (
  SELECT creator_id FROM some_orders GROUP BY creator_id ORDER BY count(*) DESC LIMIT $hot_creators
)
SELECT
  attributions.creator_id, attributions.held_from, attributions.held_until, coalesce(holders.holder, 0) AS holder,
  hot.creator_id IS NOT NULL AS hot
FROM attributions
LEFT JOIN holders ON holders.agency_id = attributions.agency_id
LEFT JOIN hot ON hot.creator_id = attributions.creator_id;

-- Room for what reads the orders.
DROP TABLE attributions;
DROP TABLE ranked;
DROP TABLE instants;
DROP TABLE nodes;
DROP TABLE spans;
DROP TABLE nodes_of_spans;
DROP TABLE winners;
DROP TABLE contested;
DROP TABLE bindings;
DROP TABLE previous_bindings;
