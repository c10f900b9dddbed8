-- +goose Up
-- The tables of the units of red packets have the shape of those of goods. Grabs are not archived.
ALTER TABLE red_packet_stock_buyer
  ADD COLUMN ARCHIVE_NUM BIGINT NOT NULL DEFAULT 0 COMMENT 'of BOUGHT_NUM, by orders that are archived',
  ALGORITHM = INSTANT;
