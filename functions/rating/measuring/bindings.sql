-- Attribution: the agency of each creator at each instant, and counts of the bindings. DuckDB and Spark run this text.
--
-- Reads agencies(agency_id), bindings and previous_bindings(creator_id, agency_id, bind_time, unbind_time, power_level,
-- risk_tag). Makes attributions, which the orders need, and creator_totals, slot_totals and binding_counts.
--
-- In all SQL here times are epoch microseconds, money is fen, an empty value is null, and bad rows are removed already.
-- The month is [$month_start, $month_end).

-- Bindings of creators that have more than one. They are few, and only these can overlap.
CREATE TABLE contested AS
SELECT creator_id, agency_id, bind_time, unbind_time, power_level, risk_tag
FROM bindings
WHERE creator_id IN (SELECT creator_id FROM bindings GROUP BY creator_id HAVING count(*) > 1);

-- Their bindings within the month. If several cover an instant, the one with the lowest rank decides.
CREATE TABLE ranked AS
WITH touching AS (
  SELECT
    creator_id, agency_id, bind_time, power_level, risk_tag,
    greatest(bind_time, $month_start) AS attributed_from,
    least(coalesce(unbind_time, $month_end), $month_end) AS attributed_until
  FROM contested
  WHERE bind_time < $month_end
    AND coalesce(unbind_time, $month_end) > greatest(bind_time, $month_start)
)
SELECT
  creator_id, agency_id, power_level, risk_tag, attributed_from, attributed_until,
  row_number() OVER (
    PARTITION BY creator_id
    ORDER BY touching.bind_time DESC, touching.agency_id, touching.power_level DESC, touching.risk_tag NULLS LAST
  ) AS rank
FROM touching;

-- The instants at which a binding of the creator begins or ends, and the month's start and end, numbered from 0. The
-- span with the same number lasts until the next instant.
CREATE TABLE instants AS
WITH every_instant AS (
  SELECT creator_id, attributed_from AS instant, rank FROM ranked
  UNION ALL
  SELECT creator_id, attributed_until AS instant, rank FROM ranked
  UNION ALL
  SELECT DISTINCT creator_id, $month_start AS instant, CAST(NULL AS BIGINT) AS rank FROM contested
  UNION ALL
  SELECT DISTINCT creator_id, $month_end AS instant, CAST(NULL AS BIGINT) AS rank FROM contested
)
SELECT creator_id, instant, rank, dense_rank() OVER (PARTITION BY creator_id ORDER BY instant) - 1 AS span
FROM every_instant;

-- The binding that decides in each span, found with a segment tree. Without it, each of the n bindings of a creator
-- would be compared with up to 2 n spans. The width of a node is a power of two: the number of its spans. A node begins
-- at a multiple of its width. Each binding is split into the largest nodes that it covers completely; each span looks up
-- the nodes that it is in.
CREATE TABLE nodes AS
WITH covered AS (
  SELECT creator_id, rank, min(span) AS first_span, max(span) AS end_span
  FROM instants
  WHERE rank IS NOT NULL
  GROUP BY creator_id, rank
),
whole_nodes AS (
  SELECT
    creator_id, rank, width,
    first_span + (width - first_span % width) % width AS first_node,
    end_span - end_span % width AS end_node
  FROM covered
  JOIN (VALUES $widths) AS widths(width) ON width <= end_span - first_span
),
largest_nodes AS (
  SELECT creator_id, rank, width, first_node AS node
  FROM whole_nodes
  WHERE first_node < end_node AND first_node % (2 * width) <> 0
  UNION ALL
  SELECT creator_id, rank, width, end_node - width AS node
  FROM whole_nodes
  WHERE first_node < end_node AND end_node % (2 * width) <> 0
)
SELECT creator_id, width, node, min(rank) AS rank
FROM largest_nodes
GROUP BY creator_id, width, node;

CREATE TABLE spans AS
WITH first_rows AS (
  SELECT creator_id, span, min(instant) AS attributed_from FROM instants GROUP BY creator_id, span
),
bounded AS (
  SELECT
    creator_id, span, attributed_from,
    lead(attributed_from) OVER (PARTITION BY creator_id ORDER BY span) AS attributed_until
  FROM first_rows
)
SELECT creator_id, span, attributed_from, attributed_until
FROM bounded
WHERE attributed_until IS NOT NULL;

CREATE TABLE nodes_of_spans AS
WITH widths AS (
  SELECT DISTINCT creator_id, width FROM nodes
)
SELECT spans.creator_id, spans.span, widths.width, spans.span - spans.span % widths.width AS node
FROM spans
JOIN widths ON widths.creator_id = spans.creator_id;

CREATE TABLE winners AS
SELECT nodes_of_spans.creator_id, nodes_of_spans.span, min(nodes.rank) AS rank
FROM nodes_of_spans
JOIN nodes
  ON nodes.creator_id = nodes_of_spans.creator_id
  AND nodes.width = nodes_of_spans.width
  AND nodes.node = nodes_of_spans.node
GROUP BY nodes_of_spans.creator_id, nodes_of_spans.span;

-- The agency of each creator, for each span of the month: that of the binding with the latest bind_time. A span without
-- a binding has a null agency_id. Every creator of the extract has spans for the whole month.
CREATE TABLE attributions AS
WITH lone AS (
  SELECT creator_id, agency_id, bind_time, coalesce(unbind_time, $month_end) AS until, power_level, risk_tag
  FROM bindings
  WHERE NOT EXISTS (SELECT 1 FROM contested WHERE contested.creator_id = bindings.creator_id)
)
SELECT
  spans.creator_id, spans.attributed_from, spans.attributed_until,
  ranked.agency_id, ranked.power_level, ranked.risk_tag
FROM spans
LEFT JOIN winners ON winners.creator_id = spans.creator_id AND winners.span = spans.span
LEFT JOIN ranked ON ranked.creator_id = winners.creator_id AND ranked.rank = winners.rank
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

-- The creators of each agency at the month's last instant. All tags but the most frequent ones count as one.
CREATE TABLE creator_totals AS
WITH at_month_end AS (
  SELECT agency_id, power_level, risk_tag
  FROM attributions
  WHERE attributed_until = $month_end AND agency_id IS NOT NULL
),
named_tags AS (
  SELECT risk_tag
  FROM at_month_end
  WHERE risk_tag IS NOT NULL
  GROUP BY risk_tag
  ORDER BY count(*) DESC, risk_tag
  LIMIT $tags_named
),
named AS (
  SELECT
    at_month_end.agency_id, at_month_end.power_level,
    CASE WHEN at_month_end.risk_tag IS NOT NULL THEN coalesce(named_tags.risk_tag, '$other_tags') END AS risk_tag
  FROM at_month_end
  LEFT JOIN named_tags ON named_tags.risk_tag = at_month_end.risk_tag
)
SELECT agency_id, power_level, risk_tag, count(*) AS creators
FROM named
GROUP BY agency_id, power_level, risk_tag;

-- Binding slots. base: the agency's unflagged creators of power level 6 and 7 at the end of the month before. kept:
-- those of them that have a binding with power level 6 or 7 in this month's extract.
CREATE TABLE slot_totals AS
WITH covering AS (
  SELECT
    creator_id, agency_id, power_level, risk_tag,
    row_number() OVER (
      PARTITION BY creator_id
      ORDER BY bind_time DESC, agency_id, power_level DESC, risk_tag NULLS LAST
    ) AS priority
  FROM previous_bindings
  WHERE bind_time < $month_start AND (unbind_time IS NULL OR unbind_time >= $month_start)
),
still AS (
  SELECT DISTINCT creator_id FROM bindings WHERE power_level >= $assessed_power
)
SELECT covering.agency_id, count(*) AS base, count(still.creator_id) AS kept
FROM covering
LEFT JOIN still ON still.creator_id = covering.creator_id
WHERE covering.priority = 1 AND covering.power_level >= $assessed_power AND covering.risk_tag IS NULL
GROUP BY covering.agency_id;

-- Counters of the bindings.
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
