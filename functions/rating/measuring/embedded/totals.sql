-- Paid orders, each counted once, by the agency of its creator at the time of payment.
--
-- Reads order_counts (already corrected for repeats), attributed_agencies and tags. Makes order_totals.

CREATE TABLE order_totals AS
WITH totals AS (
  SELECT agency_number, tag, sum(orders) AS orders, sum(amount) AS amount
  FROM order_counts
  GROUP BY agency_number, tag
  HAVING sum(orders) <> 0
),
meant AS (
  SELECT DISTINCT tag, risk_tag FROM tags
)
SELECT
  attributed_agencies.agency_id, totals.agency_number <> -1 AS known_creator, totals.agency_number <> -2 AS in_month,
  meant.risk_tag, totals.orders, totals.amount
FROM totals
LEFT JOIN attributed_agencies ON attributed_agencies.agency_number = totals.agency_number
LEFT JOIN meant ON meant.tag = totals.tag;

-- The order rows after the first one of each id, and the number of ids with such rows.
CREATE TABLE duplicates AS
SELECT coalesce(sum(duplicates), 0) AS duplicates, coalesce(sum(repeated_ids), 0) AS repeated_ids
FROM repeat_counts;

-- To free memory for the use of the totals.
DROP TABLE numbered_attributions;
DROP TABLE order_counts;
