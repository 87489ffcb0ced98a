-- One month of the invented market as tables. Whole-number arithmetic only, so that it is the same everywhere.
-- Times are UTC; an instant is written down in a style of 0 to 5, of which 1, 3 and 4 hold whole seconds.

CREATE OR REPLACE MACRO written(instant, style) AS
    CASE CASE WHEN microsecond(instant) % 1000000 <> 0 AND style IN (1, 3, 4) THEN 0 ELSE style END
        WHEN 0 THEN strftime(instant + INTERVAL 8 HOUR, '%Y-%m-%dT%H:%M:%S.%f+08:00')
        WHEN 1 THEN strftime(instant, '%Y-%m-%dT%H:%M:%SZ')
        WHEN 2 THEN strftime(instant + INTERVAL 8 HOUR, '%Y-%m-%dT%H:%M:%S.%f')
        WHEN 3 THEN strftime(instant + INTERVAL 8 HOUR, '%Y-%m-%d %H:%M:%S')
        WHEN 4 THEN CAST(epoch_us(instant) // 1000000 AS VARCHAR)
        WHEN 5 THEN strftime(instant + INTERVAL 9 HOUR, '%Y-%m-%dT%H:%M:%S.%f+09:00')
    END;

CREATE OR REPLACE TABLE agencies AS
SELECT
    row AS part, row AS style, agency_id, name, city, introduction, logo_url,
    make_timestamp(CAST(joined_at AS BIGINT)) AS joined_at
FROM (SELECT *, CAST(row_number AS BIGINT) AS row FROM staged_agencies);

CREATE OR REPLACE TABLE creators AS
SELECT
    row % 4 AS part, row // 4 % 6 AS style, creator_id, agency_id,
    make_timestamp(CAST(bind_time AS BIGINT)) AS bind_time,
    make_timestamp(CAST(unbind_time AS BIGINT)) AS unbind_time,
    CAST(power_level AS INTEGER) AS power_level,
    risk_tag
FROM (SELECT *, CAST(row_number AS BIGINT) AS row FROM staged_creators);

CREATE OR REPLACE TABLE orders AS
WITH sold AS (
    SELECT
        creator_id,
        CAST(mean AS BIGINT) AS mean,
        CAST(number AS BIGINT) AS number,
        unnest(range(CAST(first_order AS BIGINT), CAST(first_order AS BIGINT) + CAST(orders AS BIGINT))) AS n
    FROM staged_sellers
), mixed AS (
    SELECT *, (n * 48271 + number * 69621 + 1) * 16807 % 2147483647 AS x, n % 5 AS part, n // 5 % 6 AS style FROM sold
), drawn AS (
    SELECT *, x * (1 + x % 46337) % 2147483647 AS a, x * (1 + x % 39373) % 2147483647 AS b FROM mixed
)
SELECT
    n, part, style, creator_id,
    'O-' || $digits || '-' || lpad(CAST(n AS VARCHAR), 7, '0') AS order_id,
    make_timestamp(
        $start + a * $seconds // 2147483647 * 1000000
        + CASE WHEN part = 2 OR (part > 2 AND style IN (1, 3, 4)) THEN 0 ELSE b % 1000000 END
    ) AS pay_time,
    mean * (500 + b % 1001) // 1000 AS pay_amount,
    CASE WHEN b // 1001 % 125 = 0 THEN ['刷单', '虚假订单', '云剪辑', '虚假交易', 'null', '0'][1 + n % 6] END AS risk_tag
FROM drawn;
