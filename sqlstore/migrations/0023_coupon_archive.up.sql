-- +goose Up
-- The tables of the units of coupons have the shape of those of goods. Claims are not archived.
ALTER TABLE coupon_stock_buyer
  ADD COLUMN ARCHIVE_NUM BIGINT NOT NULL DEFAULT 0 COMMENT 'of BOUGHT_NUM, by orders that are archived',
  ALGORITHM = INSTANT;
