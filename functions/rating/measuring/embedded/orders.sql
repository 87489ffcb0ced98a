-- Counts every row of the orders for the agency of its creator at the time of payment. Repeated ids count each time.
--
-- Reads orders(creator_id, pay_time, pay_amount, risk_tag) and numbered_attributions. Makes tags and order_counts.
-- trim_needed tests whether orders.creator_id is empty or has whitespace around it. trimmed_tag is a tag without
-- whitespace.

-- The orders' tags, in each spelling; null if only whitespace is in it. The tags_named most frequent tags keep their
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

-- Every row of the paid orders, by the number of its creator's agency at the time of payment: -1 if the creator is
-- unknown, -2 if it was paid in another month. Most orders belong to few creators (hot): the table of these creators
-- stays in the processor's cache, the whole table does not. trim_needed: the number of orders of unknown creators whose
-- id has whitespace around it.
CREATE TABLE order_counts AS
WITH hot AS (
  SELECT creator_id, attributed_from, attributed_until, agency_number FROM numbered_attributions WHERE hot
),
others AS (
  SELECT creator_id, attributed_from, attributed_until, agency_number FROM numbered_attributions WHERE NOT hot
),
attributed AS (
  SELECT
    CASE
      WHEN hot.agency_number IS NOT NULL THEN hot.agency_number
      WHEN others.agency_number IS NOT NULL THEN others.agency_number
      WHEN orders.pay_time >= $month_start AND orders.pay_time < $month_end THEN -1
      ELSE -2
    END AS agency_number,
    tags.tag,
    orders.pay_amount,
    CASE
      WHEN hot.agency_number IS NULL AND others.agency_number IS NULL THEN CASE WHEN $trim_needed THEN 1 END
    END AS trim_needed
  FROM orders
  LEFT JOIN hot
    ON hot.creator_id = orders.creator_id
    AND orders.pay_time >= hot.attributed_from
    AND orders.pay_time < hot.attributed_until
  LEFT JOIN others
    ON others.creator_id = CASE WHEN hot.agency_number IS NULL THEN orders.creator_id END
    AND orders.pay_time >= others.attributed_from
    AND orders.pay_time < others.attributed_until
  LEFT JOIN tags ON tags.written = orders.risk_tag
)
SELECT agency_number, tag, count(*) AS orders, sum(pay_amount) AS amount, count(trim_needed) AS trim_needed
FROM attributed
GROUP BY agency_number, tag;

-- The repeats found so far: the rows after the first one of each id, and the number of repeated ids.
CREATE TABLE repeat_counts (duplicates BIGINT, repeated_ids BIGINT);
