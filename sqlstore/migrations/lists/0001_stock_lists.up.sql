-- +goose Up
-- Indexes that only lists for screens need: the holds of a buyer, and those of all items in a state by their deadlines. Each
-- costs something whenever an order is locked or paid, so a shop that does not show the list may leave its index out.
ALTER TABLE goods_stock_hold
  ADD KEY goods_stock_hold_buyer (BUYER_ID, STATE, CREATE_TIME),
  ALGORITHM = INPLACE, LOCK = NONE;

ALTER TABLE goods_stock_hold
  ADD KEY goods_stock_hold_state (STATE, EXPIRE_TIME),
  ALGORITHM = INPLACE, LOCK = NONE;
