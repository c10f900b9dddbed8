-- +goose Up
-- What was told of the validity of coupons. A library that does not know the column leaves it at its default.
ALTER TABLE coupon_wallet
  ADD COLUMN TOLD TINYINT NOT NULL DEFAULT 0 COMMENT '1: the event that it is about to expire was written, 2: that it has expired',
  ALGORITHM = INSTANT;
