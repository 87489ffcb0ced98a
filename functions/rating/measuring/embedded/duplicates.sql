-- Corrects the counts for order ids that are repeated.
--
-- Reads repeated_orders(order_id, creator_id, pay_time, pay_amount, risk_tag): all or some of the orders whose order_id
-- may be repeated, with all rows of each of these ids. Adds the correction to order_counts, and the number of repeats
-- to repeat_counts. An id that is not repeated after all changes nothing.

-- Orders that may be repeated: each row with the number of the agency for which it was counted.
CREATE VIEW attributed_repeats AS
SELECT
  repeated_orders.order_id, repeated_orders.creator_id, repeated_orders.pay_time, repeated_orders.pay_amount, tags.tag,
  CASE
    WHEN numbered_attributions.agency_number IS NOT NULL THEN numbered_attributions.agency_number
    WHEN repeated_orders.pay_time >= $month_start AND repeated_orders.pay_time < $month_end THEN -1
    ELSE -2
  END AS agency_number
FROM repeated_orders
LEFT JOIN numbered_attributions
  ON numbered_attributions.creator_id = repeated_orders.creator_id
  AND repeated_orders.pay_time >= numbered_attributions.attributed_from
  AND repeated_orders.pay_time < numbered_attributions.attributed_until
LEFT JOIN tags ON tags.written = repeated_orders.risk_tag;

-- Their ids, each counted once. If all rows of an id belong to one agency, the smallest amount counts, and it does not
-- matter in which row that is. If they belong to several agencies, the id is disputed and has a row of its own.
CREATE TABLE repeated_ids AS
WITH ids AS (
  SELECT
    order_id, count(*) AS copies, min(tag) AS tag, min(pay_amount) AS pay_amount,
    min(agency_number) AS agency_number, max(agency_number) AS other_agency_number
  FROM attributed_repeats
  GROUP BY order_id
),
separated AS (
  SELECT
    CASE WHEN agency_number <> other_agency_number THEN order_id END AS disputed_id,
    CASE WHEN agency_number = other_agency_number THEN agency_number END AS agency_number,
    tag, pay_amount, copies
  FROM ids
)
SELECT
  disputed_id, agency_number, tag, count(*) AS orders, sum(pay_amount) AS amount, sum(copies) AS copies,
  sum(CASE WHEN copies > 1 THEN 1 ELSE 0 END) AS repeated
FROM separated
GROUP BY disputed_id, agency_number, tag;

-- For each disputed id, the row that counts.
CREATE TABLE settled AS
WITH ranked AS (
  SELECT
    order_id, agency_number, pay_amount,
    row_number() OVER (PARTITION BY order_id ORDER BY pay_amount, pay_time, creator_id) AS priority
  FROM attributed_repeats
  WHERE order_id IN (SELECT disputed_id FROM repeated_ids WHERE disputed_id IS NOT NULL)
)
SELECT order_id, agency_number, pay_amount FROM ranked WHERE priority = 1;

-- Subtract every row, and count each id once.
INSERT INTO order_counts
SELECT agency_number, tag, -count(*) AS orders, -sum(pay_amount) AS amount, 0 AS trim_needed
FROM attributed_repeats
GROUP BY agency_number, tag
UNION ALL
SELECT agency_number, tag, orders, amount, 0 AS trim_needed FROM repeated_ids WHERE disputed_id IS NULL
UNION ALL
SELECT settled.agency_number, repeated_ids.tag, 1 AS orders, settled.pay_amount AS amount, 0 AS trim_needed
FROM settled
JOIN repeated_ids ON repeated_ids.disputed_id = settled.order_id;

INSERT INTO repeat_counts
SELECT sum(copies - orders) AS duplicates, sum(repeated) AS repeated_ids
FROM repeated_ids;

DROP VIEW attributed_repeats;
DROP TABLE repeated_orders;
DROP TABLE repeated_ids;
DROP TABLE settled;
