-- The attributions with a number for each agency, with which the orders are counted.
--
-- Reads attributions (bindings.sql), and a sample of orders(creator_id) to find the hot creators. Makes
-- attributed_agencies and numbered_attributions. A table is dropped as soon as nothing reads it any more.

-- The number of each agency; 0 stands for no agency. Numbers are grouped and compared faster than texts.
CREATE TABLE attributed_agencies AS
SELECT agency_id, CAST(row_number() OVER (ORDER BY agency_id) AS INTEGER) AS agency_number
FROM (SELECT DISTINCT agency_id FROM attributions) AS agency_ids
WHERE agency_id IS NOT NULL;

-- hot: whether the creator is one of the $hot_creators with most orders in a sample of $sampled_orders. It changes the
-- speed of the search for an attribution, never its result.
CREATE TABLE numbered_attributions AS
WITH some_orders AS (
  SELECT creator_id FROM orders LIMIT $sampled_orders
),
hot AS (
  SELECT creator_id FROM some_orders GROUP BY creator_id ORDER BY count(*) DESC LIMIT $hot_creators
)
SELECT
  attributions.creator_id, attributions.attributed_from, attributions.attributed_until,
  coalesce(attributed_agencies.agency_number, 0) AS agency_number, hot.creator_id IS NOT NULL AS hot
FROM attributions
LEFT JOIN attributed_agencies ON attributed_agencies.agency_id = attributions.agency_id
LEFT JOIN hot ON hot.creator_id = attributions.creator_id;

-- To free memory for counting the orders.
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
