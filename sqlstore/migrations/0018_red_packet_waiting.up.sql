-- +goose Up
-- The tables of the units of each kind have one shape. A library that does not know the columns leaves them at their defaults.
ALTER TABLE red_packet_stock
  ADD COLUMN WAIT_NUM BIGINT NOT NULL DEFAULT 0 COMMENT 'units that orders wait for',
  ALGORITHM = INSTANT;
ALTER TABLE red_packet_stock_hold
  ADD COLUMN HOLD_MICROS BIGINT NULL COMMENT 'of one that waits (STATE 7, in the order of EXPIRE_TIME): how long it will have its units',
  ALGORITHM = INSTANT;
ALTER TABLE red_packet_stock_change
  ADD COLUMN WAIT_NUM BIGINT NOT NULL DEFAULT 0,
  ALGORITHM = INSTANT;
