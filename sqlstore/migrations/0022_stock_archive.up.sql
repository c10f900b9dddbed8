-- +goose Up
-- What a buyer has bought by orders that are archived: their holds no longer say so. The units of an item are in goods_stock_change, with
-- KIND 18, and an archived order is a row of goods_stock_hold with STATE 8. A library that does not know the column leaves it at its
-- default; its audit misses what is archived, so archive once all programs know it.
ALTER TABLE goods_stock_buyer
  ADD COLUMN ARCHIVE_NUM BIGINT NOT NULL DEFAULT 0 COMMENT 'of BOUGHT_NUM, by orders that are archived',
  ALGORITHM = INSTANT;
