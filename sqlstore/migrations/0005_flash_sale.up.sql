-- +goose Up
-- Flash sales. All times are UTC by the server's clock, in microseconds. Prices are in the smallest unit of the
-- currency, which has PLACES decimal places. The units of products are items of goods_stock in the pool of their
-- activity; orders lock them there. Nothing here changes with an order.

-- One row an activity. Its ID is the ACTIVITY_ID of its pools.
CREATE TABLE IF NOT EXISTS flash_sale (
  ID            BIGINT          NOT NULL,
  TITLE         VARBINARY(512)  NOT NULL COMMENT 'UTF-8',
  IMAGE         VARBINARY(512)  NOT NULL,
  NOTE          VARBINARY(4096) NOT NULL COMMENT 'UTF-8',
  LABEL         VARBINARY(64)   NOT NULL COMMENT 'of its prices; UTF-8',
  HIDDEN        TINYINT         NOT NULL DEFAULT 0 COMMENT '1: on no page',
  START_TIME    DATETIME(6)     NULL COMMENT 'inclusive',
  END_TIME      DATETIME(6)     NOT NULL COMMENT 'exclusive',
  SORT          BIGINT          NOT NULL DEFAULT 0,
  PLACES        TINYINT         NOT NULL,
  APPROVE_TIME  DATETIME(6)     NULL COMMENT 'NULL: a draft',
  WITHDRAW_TIME DATETIME(6)     NULL COMMENT 'when an operator withdrew it',
  OVER_TIME     DATETIME(6)     NULL COMMENT 'when it was ended',
  CREATE_TIME   DATETIME(6)     NOT NULL,
  UPDATE_TIME   DATETIME(6)     NOT NULL,
  VERSION       BIGINT          NOT NULL DEFAULT 1,
  PRIMARY KEY (ID),
  KEY flash_sale_due (OVER_TIME, END_TIME),
  KEY flash_sale_end (END_TIME, ID)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- One row a product in an activity.
CREATE TABLE IF NOT EXISTS flash_sale_product (
  ACTIVITY_ID  BIGINT         NOT NULL,
  SKU_ID       BIGINT         NOT NULL,
  SPU_ID       BIGINT         NOT NULL DEFAULT 0 COMMENT '0 none',
  NAME         VARBINARY(512) NOT NULL COMMENT 'UTF-8',
  SPEC         VARBINARY(512) NOT NULL COMMENT 'UTF-8',
  LABEL        VARBINARY(64)  NOT NULL COMMENT 'of its price; empty: that of the activity; UTF-8',
  PLACES       TINYINT        NOT NULL,
  LIST_PRICE   BIGINT         NOT NULL COMMENT 'struck through; 0 none',
  PRICE        BIGINT         NOT NULL COMMENT 'of one unit, from PRICE_TIME on; all prices are in flash_sale_price',
  PRICE_TIME   DATETIME(6)    NOT NULL,
  ORDER_LIMIT  BIGINT         NOT NULL DEFAULT 0 COMMENT 'units per order; 0 no limit',
  BUYER_LIMIT  BIGINT         NOT NULL DEFAULT 0 COMMENT 'units per buyer; 0 no limit',
  SORT         BIGINT         NOT NULL DEFAULT 0,
  STATE        TINYINT        NOT NULL COMMENT '0 preparing, 1 offered, 2 removed, 3 settled',
  STOCK_NUM    BIGINT         NOT NULL COMMENT 'units that were taken out of ordinary stock for it at first',
  RETURN_NUM   BIGINT         NOT NULL DEFAULT 0 COMMENT 'how often units went back to ordinary stock',
  RETURN_UNITS BIGINT         NOT NULL DEFAULT 0 COMMENT 'how many of them there were',
  CREATE_TIME  DATETIME(6)    NOT NULL,
  UPDATE_TIME  DATETIME(6)    NOT NULL,
  VERSION      BIGINT         NOT NULL DEFAULT 1,
  PRIMARY KEY (ACTIVITY_ID, SKU_ID),
  KEY flash_sale_product_state (STATE, ACTIVITY_ID, SKU_ID),
  CONSTRAINT flash_sale_product_price CHECK (PRICE >= 0 AND (LIST_PRICE = 0 OR LIST_PRICE >= PRICE))
) ENGINE = InnoDB COMMENT = 'holdfast';

-- One row a price of a product: in force from FROM_TIME until the next one is. What a hold costs is the price that was
-- in force at its CREATE_TIME.
CREATE TABLE IF NOT EXISTS flash_sale_price (
  ACTIVITY_ID BIGINT      NOT NULL,
  SKU_ID      BIGINT      NOT NULL,
  FROM_TIME   DATETIME(6) NOT NULL COMMENT 'inclusive',
  PRICE       BIGINT      NOT NULL,
  CREATE_TIME DATETIME(6) NOT NULL,
  PRIMARY KEY (ACTIVITY_ID, SKU_ID, FROM_TIME),
  CONSTRAINT flash_sale_price_not_negative CHECK (PRICE >= 0)
) ENGINE = InnoDB COMMENT = 'holdfast';
