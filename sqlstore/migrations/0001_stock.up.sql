-- +goose Up
-- Limited stock. All times are UTC by the server's clock, in microseconds.

-- One row an item: a SKU in one pool. Its counters move only together with a hold or a change.
CREATE TABLE IF NOT EXISTS goods_stock (
  ID               BIGINT      NOT NULL AUTO_INCREMENT,
  SPU_ID           BIGINT      NOT NULL DEFAULT 0 COMMENT 'product; 0 none',
  SKU_ID           BIGINT      NOT NULL,
  ACTIVITY_ID      BIGINT      NOT NULL DEFAULT 0 COMMENT 'pool; 0 ordinary stock',
  STOCK_TOTAL_NUM  BIGINT      NOT NULL DEFAULT 0 COMMENT 'units there ever were, less those withdrawn',
  STOCK_SALE_NUM   BIGINT      NOT NULL DEFAULT 0 COMMENT 'units paid for and not back on sale',
  STOCK_LOCK_NUM   BIGINT      NOT NULL DEFAULT 0 COMMENT 'units set aside by unpaid holds',
  STOCK_LEFT_NUM   BIGINT      NOT NULL DEFAULT 0 COMMENT 'units not sold, the locked ones among them',
  STOCK_REFUND_NUM BIGINT      NOT NULL DEFAULT 0 COMMENT 'units ever refunded',
  UNLIMITED        TINYINT     NOT NULL DEFAULT 0 COMMENT '1: counted, never refused',
  STATUS           TINYINT     NOT NULL DEFAULT 0 COMMENT '0 valid, 1 invalid (off the shelf)',
  START_TIME       DATETIME(6) NULL COMMENT 'sale begins, inclusive',
  END_TIME         DATETIME(6) NULL COMMENT 'sale ends, exclusive',
  ORDER_LIMIT      BIGINT      NOT NULL DEFAULT 0 COMMENT 'units per order; 0 no limit',
  BUYER_LIMIT      BIGINT      NOT NULL DEFAULT 0 COMMENT 'units per buyer, held and bought; 0 no limit',
  HOLD_LIMIT       BIGINT      NOT NULL DEFAULT 0 COMMENT 'unpaid holds per buyer; 0 no limit',
  CREATE_TIME      DATETIME(6) NOT NULL,
  UPDATE_TIME      DATETIME(6) NOT NULL,
  VERSION          BIGINT      NOT NULL DEFAULT 1,
  PRIMARY KEY (SKU_ID, ACTIVITY_ID),
  UNIQUE KEY goods_stock_id (ID),
  CONSTRAINT goods_stock_not_negative CHECK (STOCK_TOTAL_NUM >= 0 AND STOCK_SALE_NUM >= 0 AND STOCK_LOCK_NUM >= 0 AND STOCK_LEFT_NUM >= 0 AND STOCK_REFUND_NUM >= 0),
  CONSTRAINT goods_stock_locked_is_left CHECK (UNLIMITED = 1 OR STOCK_LOCK_NUM <= STOCK_LEFT_NUM),
  CONSTRAINT goods_stock_balance CHECK (UNLIMITED = 1 OR STOCK_TOTAL_NUM - STOCK_SALE_NUM = STOCK_LEFT_NUM),
  CONSTRAINT goods_stock_unlimited CHECK (UNLIMITED = 0 OR (UNLIMITED = 1 AND STOCK_TOTAL_NUM = 0 AND STOCK_LEFT_NUM = 0))
) ENGINE = InnoDB COMMENT = 'holdfast';

-- One row a line of an order. The first line stands for the order: a second lock of it, and an
-- order that was closed before it locked (SKU_ID 0), collide there.
CREATE TABLE IF NOT EXISTS goods_stock_hold (
  ORDER_NO    VARBINARY(64) NOT NULL,
  LINE_NO     SMALLINT      NOT NULL COMMENT 'from 1, by SKU_ID and ACTIVITY_ID',
  LINE_NUM    SMALLINT      NOT NULL DEFAULT 1 COMMENT 'lines of the order',
  SKU_ID      BIGINT        NOT NULL,
  ACTIVITY_ID BIGINT        NOT NULL,
  NUM         BIGINT        NOT NULL,
  REFUND_NUM  BIGINT        NOT NULL DEFAULT 0 COMMENT 'of NUM, refunded',
  RESTOCK_NUM BIGINT        NOT NULL DEFAULT 0 COMMENT 'of REFUND_NUM, back on sale',
  FREE_NUM    BIGINT        NOT NULL DEFAULT 0 COMMENT 'of REFUND_NUM, given back to the limit of the buyer',
  BUYER_ID    VARBINARY(64) NULL,
  STATE       TINYINT       NOT NULL COMMENT '1 locked, 2 paid, 3 redeemed, 4 refunded, 5 cancelled, 6 expired',
  FENCE       INT           NOT NULL DEFAULT 0 COMMENT 'how often the order was resolved',
  EXPIRE_TIME DATETIME(6)   NOT NULL COMMENT 'a locked hold lives strictly before it',
  PAY_TIME    DATETIME(6)   NULL,
  CREATE_TIME DATETIME(6)   NOT NULL,
  UPDATE_TIME DATETIME(6)   NOT NULL,
  PRIMARY KEY (ORDER_NO, LINE_NO),
  KEY goods_stock_hold_due (SKU_ID, ACTIVITY_ID, STATE, EXPIRE_TIME),
  CONSTRAINT goods_stock_hold_num CHECK (NUM >= 0 AND REFUND_NUM >= 0 AND REFUND_NUM <= NUM
    AND RESTOCK_NUM >= 0 AND RESTOCK_NUM <= REFUND_NUM AND FREE_NUM >= 0 AND FREE_NUM <= REFUND_NUM)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- What one buyer has of one item, for the limits per buyer.
CREATE TABLE IF NOT EXISTS goods_stock_buyer (
  SKU_ID      BIGINT        NOT NULL,
  ACTIVITY_ID BIGINT        NOT NULL,
  BUYER_ID    VARBINARY(64) NOT NULL,
  HELD_NUM    BIGINT        NOT NULL DEFAULT 0 COMMENT 'units locked',
  BOUGHT_NUM  BIGINT        NOT NULL DEFAULT 0 COMMENT 'units paid for, less those given back to the limit',
  HOLD_NUM    BIGINT        NOT NULL DEFAULT 0 COMMENT 'unpaid holds',
  PRIMARY KEY (SKU_ID, ACTIVITY_ID, BUYER_ID),
  CONSTRAINT goods_stock_buyer_not_negative CHECK (HELD_NUM >= 0 AND BOUGHT_NUM >= 0 AND HOLD_NUM >= 0)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- One row a line of a refund.
CREATE TABLE IF NOT EXISTS goods_stock_refund (
  REFUND_NO   VARBINARY(64) NOT NULL,
  LINE_NO     SMALLINT      NOT NULL,
  LINE_NUM    SMALLINT      NOT NULL COMMENT 'lines of the refund',
  ORDER_NO    VARBINARY(64) NOT NULL,
  SKU_ID      BIGINT        NOT NULL,
  ACTIVITY_ID BIGINT        NOT NULL,
  NUM         BIGINT        NOT NULL,
  RESTOCK     TINYINT       NOT NULL COMMENT '1: back on sale',
  WHOLE       TINYINT       NOT NULL COMMENT '1: everything not refunded yet was asked for',
  FREE        TINYINT       NOT NULL COMMENT '1: given back to the limit of the buyer',
  CREATE_TIME DATETIME(6)   NOT NULL,
  PRIMARY KEY (REFUND_NO, LINE_NO),
  KEY goods_stock_refund_order (ORDER_NO)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- Units that came, went or moved without an order, and corrections: one row an item, or one a
-- buyer of it. The TOTAL_NUM of all rows but corrections add up to STOCK_TOTAL_NUM.
CREATE TABLE IF NOT EXISTS goods_stock_change (
  SCOPE       TINYINT       NOT NULL COMMENT 'change numbers are unique in it: 1 definitions, 2 operators, 5 corrections',
  CHANGE_NO   VARBINARY(64) NOT NULL,
  LINE_NO     INT           NOT NULL,
  LINE_NUM    INT           NOT NULL COMMENT 'lines of the change',
  KIND        TINYINT       NOT NULL COMMENT '1 define, 2 restock, 3 withdraw, 4 transfer, 5 correction',
  SKU_ID      BIGINT        NOT NULL,
  ACTIVITY_ID BIGINT        NOT NULL,
  BUYER_ID    VARBINARY(64) NULL COMMENT 'what follows was added to what this buyer has',
  TOTAL_NUM   BIGINT        NOT NULL DEFAULT 0,
  SALE_NUM    BIGINT        NOT NULL DEFAULT 0,
  LOCK_NUM    BIGINT        NOT NULL DEFAULT 0,
  LEFT_NUM    BIGINT        NOT NULL DEFAULT 0,
  REFUND_NUM  BIGINT        NOT NULL DEFAULT 0,
  HOLD_NUM    BIGINT        NOT NULL DEFAULT 0,
  REST        TINYINT       NOT NULL DEFAULT 0 COMMENT '1, 2: everything available was asked for; 2 gave it, 1 got it',
  CREATE_TIME DATETIME(6)   NOT NULL,
  PRIMARY KEY (SCOPE, CHANGE_NO, LINE_NO),
  KEY goods_stock_change_item (SKU_ID, ACTIVITY_ID, KIND)
) ENGINE = InnoDB COMMENT = 'holdfast';
