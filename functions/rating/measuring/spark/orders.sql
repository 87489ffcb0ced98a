-- Paid orders, each counted once, by the agency of its creator at the time of payment: one window for each order_id.
-- embedded/ does the same for DuckDB in the small memory of one function; tests compare both with the same reference.
--
-- Reads attributions (bindings.sql) and orders(order_id, creator_id, pay_time, pay_amount, risk_tag). Makes
-- counted_orders and order_totals.

-- The most frequent tags keep their names; all others share one, which comes after them.
CREATE TABLE named_tags AS
WITH usual AS (
  SELECT risk_tag
  FROM orders
  WHERE risk_tag IS NOT NULL
  GROUP BY risk_tag
  ORDER BY count(*) DESC, risk_tag
  LIMIT $tags_named
)
SELECT risk_tag, row_number() OVER (ORDER BY risk_tag) AS tag FROM usual;

-- For each id the row that counts: the one with the smallest amount, then the earliest payment, then the smallest
-- creator. It is flagged if any row of the id is.
CREATE TABLE counted_orders AS
WITH tagged AS (
  SELECT /*+ BROADCAST(named_tags) */
    orders.order_id, orders.creator_id, orders.pay_time, orders.pay_amount,
    CASE WHEN orders.risk_tag IS NOT NULL THEN coalesce(named_tags.tag, $tags_named + 1) END AS tag
  FROM orders
  LEFT JOIN named_tags ON named_tags.risk_tag = orders.risk_tag
),
ranked AS (
  SELECT
    order_id, creator_id, pay_time, pay_amount,
    row_number() OVER (PARTITION BY order_id ORDER BY pay_amount, pay_time, creator_id) AS priority,
    count(*) OVER (PARTITION BY order_id) AS copies,
    min(tag) OVER (PARTITION BY order_id) AS tag
  FROM tagged
)
SELECT order_id, creator_id, pay_time, pay_amount, copies, tag
FROM ranked
WHERE priority = 1;

-- copies: all rows of these orders, also the first of each id. repeated_ids: the number of ids with more than one row.
CREATE TABLE order_totals AS
WITH attributed AS (
  SELECT $broadcast
    attributions.agency_id, counted_orders.tag, counted_orders.pay_amount, counted_orders.copies,
    attributions.creator_id IS NOT NULL AS attributed,
    counted_orders.pay_time >= $month_start AND counted_orders.pay_time < $month_end AS in_month
  FROM counted_orders
  LEFT JOIN attributions
    ON attributions.creator_id = counted_orders.creator_id
    AND counted_orders.pay_time >= attributions.attributed_from
    AND counted_orders.pay_time < attributions.attributed_until
),
totals AS (
  SELECT
    agency_id, attributed OR NOT in_month AS known_creator, in_month, tag,
    count(*) AS orders, sum(CAST(pay_amount AS DECIMAL(38, 0))) AS amount,
    sum(copies) AS copies, sum(CASE WHEN copies > 1 THEN 1 ELSE 0 END) AS repeated_ids
  FROM attributed
  GROUP BY agency_id, attributed OR NOT in_month, in_month, tag
)
SELECT
  totals.agency_id, totals.known_creator, totals.in_month,
  CASE WHEN totals.tag IS NOT NULL THEN coalesce(named_tags.risk_tag, '$other_tags') END AS risk_tag,
  totals.orders, totals.amount, totals.copies, totals.repeated_ids
FROM totals
LEFT JOIN named_tags ON named_tags.tag = totals.tag;
