-- +goose Up
-- Who made a change of shares and why, and the index of the list of the changes of an item. A library that does not know
-- the columns leaves them at their defaults.
ALTER TABLE red_packet_stock_change
  ADD COLUMN ACTOR VARBINARY(64) NOT NULL DEFAULT x'' COMMENT 'empty: nobody was named',
  ADD COLUMN REASON VARBINARY(512) NOT NULL DEFAULT x'' COMMENT 'UTF-8',
  ALGORITHM = INSTANT;
ALTER TABLE red_packet_stock_change
  ADD KEY red_packet_stock_change_time (SKU_ID, ACTIVITY_ID, BUYER_ID, CREATE_TIME),
  ALGORITHM = INPLACE, LOCK = NONE;

-- The list of the packets of a sender.
ALTER TABLE red_packet
  ADD KEY red_packet_sender (SENDER_ID, CREATE_TIME),
  ALGORITHM = INPLACE, LOCK = NONE;
