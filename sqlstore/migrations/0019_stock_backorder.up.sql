-- +goose Up
-- Safety stock, and orders of units that have not come yet. An item counts units that are owed and not there as if they were there: BACK_NUM of
-- STOCK_TOTAL_NUM and STOCK_LEFT_NUM are such. So the constraints that keep an item from being oversold stay as they are, and
-- demand what they should: no more is locked than is left or owed. A library that does not know the columns leaves them alone.
ALTER TABLE goods_stock
  ADD COLUMN RESERVE_NUM BIGINT NOT NULL DEFAULT 0 COMMENT 'safety stock: units that no order gets',
  ADD COLUMN BACKORDER_NUM BIGINT NOT NULL DEFAULT 0 COMMENT 'units that may be ordered before they are there',
  ADD COLUMN BACK_NUM BIGINT NOT NULL DEFAULT 0 COMMENT 'units that are ordered and have not come yet, which total and left count as well',
  ALGORITHM = INSTANT;
ALTER TABLE goods_stock_hold
  ADD COLUMN BACK_NUM BIGINT NOT NULL DEFAULT 0 COMMENT 'of NUM, not come yet; it counts as long as the order is locked or paid',
  ALGORITHM = INSTANT;
ALTER TABLE goods_stock_change
  ADD COLUMN BACK_NUM BIGINT NOT NULL DEFAULT 0 COMMENT 'units that orders wait for since',
  ALGORITHM = INSTANT;

-- One row a line that waits for units, or has done so: in which order they get them. What it waits for is in its hold.
CREATE TABLE IF NOT EXISTS goods_stock_backorder (
  ORDER_NO    VARBINARY(64) NOT NULL,
  SKU_ID      BIGINT        NOT NULL,
  ACTIVITY_ID BIGINT        NOT NULL,
  LINE_NO     SMALLINT      NOT NULL COMMENT 'of the order',
  STATE       TINYINT       NOT NULL DEFAULT 0 COMMENT '0 may wait, 1 waits no more',
  LOCK_TIME   DATETIME(6)   NOT NULL COMMENT 'when the order was locked',
  PRIMARY KEY (ORDER_NO, SKU_ID, ACTIVITY_ID),
  KEY goods_stock_backorder_queue (STATE, SKU_ID, ACTIVITY_ID, LOCK_TIME, ORDER_NO)
) ENGINE = InnoDB COMMENT = 'holdfast';
