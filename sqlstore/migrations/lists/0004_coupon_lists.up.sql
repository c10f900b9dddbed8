-- +goose Up
-- An index that only the events of the validity of coupons need. It costs something whenever a coupon is claimed or used.
ALTER TABLE coupon_wallet
  ADD KEY coupon_wallet_told (STATE, TOLD, VALID_UNTIL),
  ALGORITHM = INPLACE, LOCK = NONE;
