-- +goose Up
-- The tables of the units of each kind have one shape. A library that does not know the column leaves it at its default.
ALTER TABLE coupon_stock
  ADD COLUMN LOW_NUM BIGINT NOT NULL DEFAULT 0 COMMENT 'available units at which stock is low; 0 never',
  ALGORITHM = INSTANT;
