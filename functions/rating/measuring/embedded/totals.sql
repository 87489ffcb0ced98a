-- Paid orders, each counted once, by holder at the time of payment.
--
-- Read: order_counts with what was added to it for repeats, holders, tags. Left: order_totals.

CREATE TABLE order_totals AS
WITH totals AS (
  SELECT holder, tag, sum(orders) AS orders, sum(amount) AS amount
  FROM order_counts
  GROUP BY holder, tag
  HAVING sum(orders) <> 0
),
meant AS (
  SELECT DISTINCT tag, risk_tag FROM tags
)
SELECT
  holders.agency_id, totals.holder <> -1 AS known_creator, totals.holder <> -2 AS in_month,
  meant.risk_tag, totals.orders, totals.amount
FROM totals
LEFT JOIN holders ON holders.holder = totals.holder
LEFT JOIN meant ON meant.tag = totals.tag;

-- Order rows beyond the first of each id, and ids that have such rows.
CREATE TABLE duplicates AS
SELECT coalesce(sum(duplicates), 0) AS duplicates, coalesce(sum(repeated_ids), 0) AS repeated_ids
FROM repeat_counts;

-- Room for what is made of the totals.
DROP TABLE numbered_attributions;
DROP TABLE order_counts;
