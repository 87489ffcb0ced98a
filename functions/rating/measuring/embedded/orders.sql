-- Every row of the orders, counted for who held the creator at the time of payment, whether or not its id is repeated.
--
-- Reads orders(creator_id, pay_time, pay_amount, risk_tag) and numbered_attributions. Leaves tags and order_counts.
-- trim_needed tests whether orders.creator_id has whitespace around it or is empty; trimmed_tag is a tag without it.

-- What orders are flagged with, in each spelling; null where that is nothing. The tags_named most usual tags keep their
-- names, all others share one.
CREATE TABLE written_tags AS
WITH every_tag AS (
  SELECT risk_tag, count(*) AS orders FROM orders WHERE risk_tag IS NOT NULL GROUP BY risk_tag
)
SELECT risk_tag AS written, $trimmed_tag AS risk_tag, orders FROM every_tag;

CREATE TABLE tags AS
WITH named_tags AS (
  SELECT risk_tag
  FROM written_tags
  WHERE risk_tag IS NOT NULL
  GROUP BY risk_tag
  ORDER BY sum(orders) DESC, risk_tag
  LIMIT $tags_named
),
numbered_tags AS (
  SELECT risk_tag, CAST(row_number() OVER (ORDER BY risk_tag) AS INTEGER) AS tag FROM named_tags
)
SELECT
  written_tags.written,
  CASE WHEN written_tags.risk_tag IS NOT NULL THEN coalesce(numbered_tags.risk_tag, '$other_tags') END AS risk_tag,
  CASE WHEN written_tags.risk_tag IS NOT NULL THEN coalesce(numbered_tags.tag, $tags_named + 1) END AS tag
FROM written_tags
LEFT JOIN numbered_tags ON numbered_tags.risk_tag = written_tags.risk_tag;

DROP TABLE written_tags;

-- Paid orders, every row, by holder at the time of payment: -1 where nobody knows the creator, -2 where the month is
-- another one. Most orders belong to few creators: their table stays in the processor's cache, the whole one does not.
-- trim_needed: orders of unknown creators whose id has whitespace around it.
CREATE TABLE order_counts AS
WITH hot AS (
  SELECT creator_id, held_from, held_until, holder FROM numbered_attributions WHERE hot
),
others AS (
  SELECT creator_id, held_from, held_until, holder FROM numbered_attributions WHERE NOT hot
),
attributed AS (
  SELECT
    CASE
      WHEN hot.holder IS NOT NULL THEN hot.holder
      WHEN others.holder IS NOT NULL THEN others.holder
      WHEN orders.pay_time >= $month_start AND orders.pay_time < $month_end THEN -1
      ELSE -2
    END AS holder,
    tags.tag,
    orders.pay_amount,
    CASE
      WHEN hot.holder IS NULL AND others.holder IS NULL THEN CASE WHEN $trim_needed THEN 1 END
    END AS trim_needed
  FROM orders
  LEFT JOIN hot
    ON hot.creator_id = orders.creator_id
    AND orders.pay_time >= hot.held_from
    AND orders.pay_time < hot.held_until
  LEFT JOIN others
    ON others.creator_id = CASE WHEN hot.holder IS NULL THEN orders.creator_id END
    AND orders.pay_time >= others.held_from
    AND orders.pay_time < others.held_until
  LEFT JOIN tags ON tags.written = orders.risk_tag
)
SELECT holder, tag, count(*) AS orders, sum(pay_amount) AS amount, count(trim_needed) AS trim_needed
FROM attributed
GROUP BY holder, tag;

-- The repeats found so far: rows beyond the first of each id, and ids.
CREATE TABLE repeat_counts (duplicates BIGINT, repeated_ids BIGINT);
