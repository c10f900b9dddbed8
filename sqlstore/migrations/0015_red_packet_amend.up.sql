-- +goose Up
-- Orders of shares that are amended, redeemed in part, or put back on sale. A library that does not know the columns leaves them at their
-- defaults.
ALTER TABLE red_packet_stock_hold
  ADD COLUMN REDEEM_NUM BIGINT NOT NULL DEFAULT 0 COMMENT 'of NUM, handed over and not refunded, as long as the order is paid',
  ADD COLUMN FIRST_HASH VARBINARY(64) NULL COMMENT 'of the first lines and buyer, once they were amended',
  ALGORITHM = INSTANT;
ALTER TABLE red_packet_stock_change
  ADD COLUMN ORDER_NO VARBINARY(64) NOT NULL DEFAULT x'' COMMENT 'that was amended; empty: none',
  ADD COLUMN ASKED VARBINARY(60000) NULL COMMENT 'what an amendment asked for',
  ALGORITHM = INSTANT;
