-- What was measured of every agency, from the values that the extracts hold.
--
-- Read: agencies(agency_id), bindings and previous_bindings(creator_id, agency_id, bind_time, unbind_time, power_level,
-- risk_tag), orders and repeated_orders(order_id, creator_id, pay_time, pay_amount, risk_tag). Times are epoch
-- microseconds, money is fen, an empty value is null; there are no bad rows. repeated_orders are those of the orders
-- whose order_id may be there more than once; where nobody looked, that is all of them. Tables are dropped when they are
-- done with: agencies, totals and counts are left.
-- The month is [$month_start, $month_end). doubtful_creator tests whether orders.creator_id may be written otherwise than
-- the creators' own ids; tag_meant is what a risk_tag of theirs stands for. The tags_named most usual tags keep their
-- names, all others are other_tags. Plain SQL: it runs on DuckDB and on Trino alike.

-- Bindings of creators that have more than one: few, and the only ones that can meet one another.
CREATE TABLE contested AS
SELECT creator_id, agency_id, bind_time, unbind_time, power_level, risk_tag
FROM bindings
WHERE creator_id IN (SELECT creator_id FROM bindings GROUP BY creator_id HAVING count(*) > 1);

-- Who holds each creator, for each span of the month: the binding that covers it with the latest bind_time. Spans in
-- which nobody does have a null agency_id; every creator of the extract has spans for the whole month.
CREATE TABLE holdings AS
WITH lone AS (
  SELECT creator_id, agency_id, bind_time, coalesce(unbind_time, $month_end) AS until, power_level, risk_tag
  FROM bindings
  WHERE NOT EXISTS (SELECT 1 FROM contested WHERE contested.creator_id = bindings.creator_id)
),
touching AS (
  SELECT
    creator_id, agency_id, bind_time, power_level, risk_tag,
    greatest(bind_time, $month_start) AS held_from,
    least(coalesce(unbind_time, $month_end), $month_end) AS held_until
  FROM contested
  WHERE bind_time < $month_end
    AND coalesce(unbind_time, $month_end) > greatest(bind_time, $month_start)
),
instants AS (
  SELECT creator_id, held_from AS instant FROM touching
  UNION
  SELECT creator_id, held_until AS instant FROM touching
  UNION
  SELECT creator_id, $month_start AS instant FROM contested
),
spans AS (
  SELECT
    creator_id,
    instant AS held_from,
    coalesce(lead(instant) OVER (PARTITION BY creator_id ORDER BY instant), $month_end) AS held_until
  FROM instants
  WHERE instant < $month_end
),
claims AS (
  SELECT
    spans.creator_id, spans.held_from, spans.held_until, touching.agency_id, touching.power_level, touching.risk_tag,
    row_number() OVER (
      PARTITION BY spans.creator_id, spans.held_from
      ORDER BY touching.bind_time DESC, touching.agency_id, touching.power_level DESC, touching.risk_tag NULLS LAST
    ) AS place
  FROM spans
  LEFT JOIN touching
    ON touching.creator_id = spans.creator_id
    AND touching.held_from <= spans.held_from
    AND touching.held_until >= spans.held_until
)
SELECT creator_id, held_from, held_until, agency_id, power_level, risk_tag
FROM claims
WHERE place = 1
UNION ALL
SELECT creator_id, $month_start, least(bind_time, $month_end), NULL, NULL, NULL
FROM lone
WHERE bind_time > $month_start
UNION ALL
SELECT
  creator_id, greatest(bind_time, $month_start), least(until, $month_end), agency_id, power_level, risk_tag
FROM lone
WHERE bind_time < $month_end AND until > greatest(bind_time, $month_start)
UNION ALL
SELECT creator_id, greatest(until, $month_start), $month_end, NULL, NULL, NULL
FROM lone
WHERE until < $month_end;

-- The same with a number for each holder, 0 for nobody: numbers are grouped and compared faster than texts.
CREATE TABLE holders AS
SELECT agency_id, CAST(row_number() OVER (ORDER BY agency_id) AS INTEGER) AS holder
FROM (SELECT DISTINCT agency_id FROM holdings) AS agency_ids
WHERE agency_id IS NOT NULL;

-- busy: the creator is one of the $most_busy with most orders, as far as any $looked_at orders tell. Who is busy changes
-- how fast holders are found, never who they are.
CREATE TABLE numbered_holdings AS
WITH some_orders AS (
  SELECT creator_id FROM orders LIMIT $looked_at
),
busy AS (
  SELECT creator_id FROM some_orders GROUP BY creator_id ORDER BY count(*) DESC LIMIT $most_busy
)
SELECT
  holdings.creator_id, holdings.held_from, holdings.held_until, coalesce(holders.holder, 0) AS holder,
  busy.creator_id IS NOT NULL AS busy
FROM holdings
LEFT JOIN holders ON holders.agency_id = holdings.agency_id
LEFT JOIN busy ON busy.creator_id = holdings.creator_id;

-- Creators held at the month's last instant. Tags that are none of the most usual count as one.
CREATE TABLE creator_totals AS
WITH held AS (
  SELECT agency_id, power_level, risk_tag
  FROM holdings
  WHERE held_until = $month_end AND agency_id IS NOT NULL
),
named_tags AS (
  SELECT risk_tag
  FROM held
  WHERE risk_tag IS NOT NULL
  GROUP BY risk_tag
  ORDER BY count(*) DESC, risk_tag
  LIMIT $tags_named
),
named AS (
  SELECT
    held.agency_id, held.power_level,
    CASE WHEN held.risk_tag IS NOT NULL THEN coalesce(named_tags.risk_tag, '$other_tags') END AS risk_tag
  FROM held
  LEFT JOIN named_tags ON named_tags.risk_tag = held.risk_tag
)
SELECT agency_id, power_level, risk_tag, count(*) AS creators
FROM named
GROUP BY agency_id, power_level, risk_tag;

-- Binding slots: the creators of power level 6..7 that an agency held, unflagged, at the end of the month before, and
-- how many of them have a binding of 6..7 in this month's extract.
CREATE TABLE slot_totals AS
WITH claims AS (
  SELECT
    creator_id, agency_id, power_level, risk_tag,
    row_number() OVER (
      PARTITION BY creator_id
      ORDER BY bind_time DESC, agency_id, power_level DESC, risk_tag NULLS LAST
    ) AS place
  FROM previous_bindings
  WHERE bind_time < $month_start AND (unbind_time IS NULL OR unbind_time >= $month_start)
),
still AS (
  SELECT DISTINCT creator_id FROM bindings WHERE power_level >= $assessed_power
)
SELECT claims.agency_id, count(*) AS base, count(still.creator_id) AS kept
FROM claims
LEFT JOIN still ON still.creator_id = claims.creator_id
WHERE claims.place = 1 AND claims.power_level >= $assessed_power AND claims.risk_tag IS NULL
GROUP BY claims.agency_id;

-- What is worth knowing about the bindings themselves.
CREATE TABLE binding_counts AS
WITH distinct_bindings AS (
  SELECT creator_id, bind_time, unbind_time, count(*) AS copies
  FROM contested
  GROUP BY creator_id, agency_id, bind_time, unbind_time, power_level, risk_tag
),
compared AS (
  SELECT
    copies,
    coalesce(
      bind_time < max(coalesce(unbind_time, $month_end)) OVER (
        PARTITION BY creator_id ORDER BY bind_time, unbind_time NULLS LAST
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ),
      FALSE
    ) AS overlapping
  FROM distinct_bindings
),
meeting AS (
  SELECT
    coalesce(sum(copies - 1), 0) AS repeated,
    coalesce(sum(CASE WHEN overlapping THEN 1 END), 0) AS overlapping
  FROM compared
),
every_binding AS (
  SELECT
    coalesce(sum(CASE
      WHEN bind_time >= $month_end OR coalesce(unbind_time, $month_end) <= $month_start THEN 1
    END), 0) AS out_of_month,
    coalesce(sum(CASE WHEN agencies.agency_id IS NULL THEN 1 END), 0) AS unknown_agency
  FROM bindings
  LEFT JOIN agencies ON agencies.agency_id = bindings.agency_id
)
SELECT repeated, out_of_month, overlapping, unknown_agency
FROM meeting
CROSS JOIN every_binding;

-- Room for what reads the orders.
DROP TABLE holdings;
DROP TABLE contested;
DROP TABLE bindings;
DROP TABLE previous_bindings;

-- What orders are flagged with, in each way that it is written: numbers again, one for all that are none of the most
-- usual; null where that is nothing.
CREATE TABLE written_tags AS
WITH every_tag AS (
  SELECT risk_tag, count(*) AS orders FROM orders WHERE risk_tag IS NOT NULL GROUP BY risk_tag
)
SELECT risk_tag AS written, $tag_meant AS risk_tag, orders FROM every_tag;

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
-- doubtful: those of creators that nobody knows, perhaps because of how they are written.
CREATE TABLE order_tallies AS
WITH busy AS (
  SELECT creator_id, held_from, held_until, holder FROM numbered_holdings WHERE busy
),
others AS (
  SELECT creator_id, held_from, held_until, holder FROM numbered_holdings WHERE NOT busy
),
placed AS (
  SELECT
    CASE
      WHEN busy.holder IS NOT NULL THEN busy.holder
      WHEN others.holder IS NOT NULL THEN others.holder
      WHEN orders.pay_time >= $month_start AND orders.pay_time < $month_end THEN -1
      ELSE -2
    END AS holder,
    tags.tag,
    orders.pay_amount,
    CASE
      WHEN busy.holder IS NULL AND others.holder IS NULL THEN CASE WHEN $doubtful_creator THEN 1 END
    END AS doubtful
  FROM orders
  LEFT JOIN busy
    ON busy.creator_id = orders.creator_id
    AND orders.pay_time >= busy.held_from
    AND orders.pay_time < busy.held_until
  LEFT JOIN others
    ON others.creator_id = CASE WHEN busy.holder IS NULL THEN orders.creator_id END
    AND orders.pay_time >= others.held_from
    AND orders.pay_time < others.held_until
  LEFT JOIN tags ON tags.written = orders.risk_tag
)
SELECT holder, tag, count(*) AS orders, sum(pay_amount) AS amount, count(doubtful) AS doubtful
FROM placed
GROUP BY holder, tag;

-- Orders that may be there more than once, each row by the holder that it was counted for.
CREATE VIEW placed_repeats AS
SELECT
  repeated_orders.order_id, repeated_orders.creator_id, repeated_orders.pay_time, repeated_orders.pay_amount, tags.tag,
  CASE
    WHEN numbered_holdings.holder IS NOT NULL THEN numbered_holdings.holder
    WHEN repeated_orders.pay_time >= $month_start AND repeated_orders.pay_time < $month_end THEN -1
    ELSE -2
  END AS holder
FROM repeated_orders
LEFT JOIN numbered_holdings
  ON numbered_holdings.creator_id = repeated_orders.creator_id
  AND repeated_orders.pay_time >= numbered_holdings.held_from
  AND repeated_orders.pay_time < numbered_holdings.held_until
LEFT JOIN tags ON tags.written = repeated_orders.risk_tag;

-- Their ids, each counted once. Where one holder has all rows of an id, the smallest amount is what it gets, and nobody
-- needs to know which row that is; an id whose holders differ is disputed, and has a line of its own.
CREATE TABLE repeated_ids AS
WITH ids AS (
  SELECT
    order_id, count(*) AS copies, min(tag) AS tag, min(pay_amount) AS pay_amount,
    min(holder) AS holder, max(holder) AS other_holder
  FROM placed_repeats
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
    row_number() OVER (PARTITION BY order_id ORDER BY pay_amount, pay_time, creator_id) AS place
  FROM placed_repeats
  WHERE order_id IN (SELECT disputed_id FROM repeated_ids WHERE disputed_id IS NOT NULL)
)
SELECT order_id, holder, pay_amount FROM ranked WHERE place = 1;

-- What was counted wrongly because order ids repeat: each row is taken back, and each id counted once.
CREATE TABLE corrections AS
SELECT holder, tag, -count(*) AS orders, -sum(pay_amount) AS amount
FROM placed_repeats
GROUP BY holder, tag
UNION ALL
SELECT holder, tag, orders, amount FROM repeated_ids WHERE disputed_id IS NULL
UNION ALL
SELECT settled.holder, repeated_ids.tag, 1 AS orders, settled.pay_amount AS amount
FROM settled
JOIN repeated_ids ON repeated_ids.disputed_id = settled.order_id;

-- Paid orders, each counted once, by holder at the time of payment.
CREATE TABLE order_totals AS
WITH parts AS (
  SELECT holder, tag, orders, amount FROM order_tallies
  UNION ALL
  SELECT holder, tag, orders, amount FROM corrections
),
totals AS (
  SELECT holder, tag, sum(orders) AS orders, sum(amount) AS amount
  FROM parts
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

-- Repeats of order ids.
CREATE TABLE repeat_counts AS
SELECT coalesce(sum(copies - orders), 0) AS duplicates, coalesce(sum(repeated), 0) AS repeated_ids
FROM repeated_ids;

-- Room for what is made of the totals.
DROP TABLE numbered_holdings;
DROP VIEW placed_repeats;
DROP TABLE repeated_orders;
DROP TABLE repeated_ids;
DROP TABLE settled;
