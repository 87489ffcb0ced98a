-- Who holds each creator, and what else the bindings say.
--
-- Read: agencies(agency_id), bindings and previous_bindings(creator_id, agency_id, bind_time, unbind_time, power_level,
-- risk_tag), and orders(creator_id), of which some tell who is hot. Left: numbered_holdings and holders, for the orders;
-- creator_totals, slot_totals and binding_counts.
--
-- Of this and of the other SQL here: times are epoch microseconds, money is fen, an empty value is null; there are no bad
-- rows. The month is [$month_start, $month_end). Tables are dropped when they are done with. Plain SQL: it runs on DuckDB
-- and on Trino alike.

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

-- hot: the creator is one of the $hot_creators with most orders, as far as any $sampled_orders orders tell. Who is hot changes
-- how fast holders are found, never who they are.
CREATE TABLE numbered_holdings AS
WITH some_orders AS (
  SELECT creator_id FROM orders LIMIT $sampled_orders
),
hot AS (
  SELECT creator_id FROM some_orders GROUP BY creator_id ORDER BY count(*) DESC LIMIT $hot_creators
)
SELECT
  holdings.creator_id, holdings.held_from, holdings.held_until, coalesce(holders.holder, 0) AS holder,
  hot.creator_id IS NOT NULL AS hot
FROM holdings
LEFT JOIN holders ON holders.agency_id = holdings.agency_id
LEFT JOIN hot ON hot.creator_id = holdings.creator_id;

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
