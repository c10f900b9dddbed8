-- +goose Up
-- Which products of flash sales have been told to be on sale. A library that does not know the column leaves it at its default.
ALTER TABLE flash_sale_product
  ADD COLUMN TOLD TINYINT NOT NULL DEFAULT 0 COMMENT '1: the event that it is on sale was written',
  ALGORITHM = INSTANT;

ALTER TABLE flash_sale_product
  ADD KEY flash_sale_product_told (TOLD, STATE, ACTIVITY_ID),
  ALGORITHM = INPLACE, LOCK = NONE;
