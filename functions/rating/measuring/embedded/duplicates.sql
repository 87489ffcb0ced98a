-- What was counted wrongly because order ids repeat.
--
-- Read: repeated_orders(order_id, creator_id, pay_time, pay_amount, risk_tag), the orders whose order_id may be there more
-- than once, or some of them: all rows of an id together. Added: to order_counts what makes up for it, to repeat_counts
-- how many there were. Ids that turn out not to be repeated change nothing.

-- Orders that may be there more than once, each row by the holder that it was counted for.
CREATE VIEW attributed_repeats AS
SELECT
  repeated_orders.order_id, repeated_orders.creator_id, repeated_orders.pay_time, repeated_orders.pay_amount, tags.tag,
  CASE
    WHEN numbered_attributions.holder IS NOT NULL THEN numbered_attributions.holder
    WHEN repeated_orders.pay_time >= $month_start AND repeated_orders.pay_time < $month_end THEN -1
    ELSE -2
  END AS holder
FROM repeated_orders
LEFT JOIN numbered_attributions
  ON numbered_attributions.creator_id = repeated_orders.creator_id
  AND repeated_orders.pay_time >= numbered_attributions.held_from
  AND repeated_orders.pay_time < numbered_attributions.held_until
LEFT JOIN tags ON tags.written = repeated_orders.risk_tag;

-- Their ids, each counted once. Where one holder has all rows of an id, the smallest amount is what it gets, and nobody
-- needs to know which row that is; an id whose holders differ is disputed, and has a line of its own.
CREATE TABLE repeated_ids AS
WITH ids AS (
  SELECT
    order_id, count(*) AS copies, min(tag) AS tag, min(pay_amount) AS pay_amount,
    min(holder) AS holder, max(holder) AS other_holder
  FROM attributed_repeats
  GROUP BY order_id
),
told_apart AS (
  SELECT
    CASE WHEN holder <> other_holder THEN order_id END AS disputed_id,
    CASE WHEN holder = other_holder THEN holder END AS holder,
    tag, pay_amount, copies
  FROM ids
)
SELECT
  disputed_id, holder, tag, count(*) AS orders, sum(pay_amount) AS amount, sum(copies) AS copies,
  sum(CASE WHEN copies > 1 THEN 1 ELSE 0 END) AS repeated
FROM told_apart
GROUP BY disputed_id, holder, tag;

-- Of each disputed id the row that counts.
CREATE TABLE settled AS
WITH ranked AS (
  SELECT
    order_id, holder, pay_amount,
    row_number() OVER (PARTITION BY order_id ORDER BY pay_amount, pay_time, creator_id) AS priority
  FROM attributed_repeats
  WHERE order_id IN (SELECT disputed_id FROM repeated_ids WHERE disputed_id IS NOT NULL)
)
SELECT order_id, holder, pay_amount FROM ranked WHERE priority = 1;

-- Each row is taken back, and each id counted once.
INSERT INTO order_counts
SELECT holder, tag, -count(*) AS orders, -sum(pay_amount) AS amount, 0 AS trim_needed
FROM attributed_repeats
GROUP BY holder, tag
UNION ALL
SELECT holder, tag, orders, amount, 0 AS trim_needed FROM repeated_ids WHERE disputed_id IS NULL
UNION ALL
SELECT settled.holder, repeated_ids.tag, 1 AS orders, settled.pay_amount AS amount, 0 AS trim_needed
FROM settled
JOIN repeated_ids ON repeated_ids.disputed_id = settled.order_id;

INSERT INTO repeat_counts
SELECT sum(copies - orders) AS duplicates, sum(repeated) AS repeated_ids
FROM repeated_ids;

DROP VIEW attributed_repeats;
DROP TABLE repeated_orders;
DROP TABLE repeated_ids;
DROP TABLE settled;
