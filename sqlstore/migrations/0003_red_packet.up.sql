-- +goose Up
-- Red packets. All times are UTC by the server's clock, in microseconds. Money is in the smallest unit of
-- the currency, which has PLACES decimal places.

-- The shares of packets as units: the tables of goods_stock again. A packet is the item whose SKU_ID is its
-- ID; a grab is an order, numbered by the packet and the person.
CREATE TABLE IF NOT EXISTS red_packet_stock (
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
  UNIQUE KEY red_packet_stock_id (ID),
  CONSTRAINT red_packet_stock_not_negative CHECK (STOCK_TOTAL_NUM >= 0 AND STOCK_SALE_NUM >= 0 AND STOCK_LOCK_NUM >= 0 AND STOCK_LEFT_NUM >= 0 AND STOCK_REFUND_NUM >= 0),
  CONSTRAINT red_packet_stock_locked_is_left CHECK (UNLIMITED = 1 OR STOCK_LOCK_NUM <= STOCK_LEFT_NUM),
  CONSTRAINT red_packet_stock_balance CHECK (UNLIMITED = 1 OR STOCK_TOTAL_NUM - STOCK_SALE_NUM = STOCK_LEFT_NUM),
  CONSTRAINT red_packet_stock_unlimited CHECK (UNLIMITED = 0 OR (UNLIMITED = 1 AND STOCK_TOTAL_NUM = 0 AND STOCK_LEFT_NUM = 0))
) ENGINE = InnoDB COMMENT = 'holdfast';

CREATE TABLE IF NOT EXISTS red_packet_stock_hold (
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
  KEY red_packet_stock_hold_due (SKU_ID, ACTIVITY_ID, STATE, EXPIRE_TIME),
  CONSTRAINT red_packet_stock_hold_num CHECK (NUM >= 0 AND REFUND_NUM >= 0 AND REFUND_NUM <= NUM
    AND RESTOCK_NUM >= 0 AND RESTOCK_NUM <= REFUND_NUM AND FREE_NUM >= 0 AND FREE_NUM <= REFUND_NUM)
) ENGINE = InnoDB COMMENT = 'holdfast';

CREATE TABLE IF NOT EXISTS red_packet_stock_buyer (
  SKU_ID      BIGINT        NOT NULL,
  ACTIVITY_ID BIGINT        NOT NULL,
  BUYER_ID    VARBINARY(64) NOT NULL,
  HELD_NUM    BIGINT        NOT NULL DEFAULT 0 COMMENT 'units locked',
  BOUGHT_NUM  BIGINT        NOT NULL DEFAULT 0 COMMENT 'units paid for, less those given back to the limit',
  HOLD_NUM    BIGINT        NOT NULL DEFAULT 0 COMMENT 'unpaid holds',
  PRIMARY KEY (SKU_ID, ACTIVITY_ID, BUYER_ID),
  CONSTRAINT red_packet_stock_buyer_not_negative CHECK (HELD_NUM >= 0 AND BOUGHT_NUM >= 0 AND HOLD_NUM >= 0)
) ENGINE = InnoDB COMMENT = 'holdfast';

CREATE TABLE IF NOT EXISTS red_packet_stock_refund (
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
  KEY red_packet_stock_refund_order (ORDER_NO)
) ENGINE = InnoDB COMMENT = 'holdfast';

CREATE TABLE IF NOT EXISTS red_packet_stock_change (
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
  KEY red_packet_stock_change_item (SKU_ID, ACTIVITY_ID, KIND)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- One row a packet.
CREATE TABLE IF NOT EXISTS red_packet (
  PACKET_ID    BIGINT        NOT NULL,
  SENDER_ID    VARBINARY(64) NOT NULL,
  PLACES       TINYINT       NOT NULL,
  TOTAL_MONEY  BIGINT        NOT NULL,
  SELL_MONEY   BIGINT        NOT NULL DEFAULT 0 COMMENT 'grabbed',
  STOCK_MONEY  BIGINT        NOT NULL COMMENT 'not grabbed',
  TOTAL_NUM    BIGINT        NOT NULL COMMENT 'shares',
  SELL_NUM     BIGINT        NOT NULL DEFAULT 0 COMMENT 'shares that were grabbed',
  SPLIT_EQUAL  TINYINT       NOT NULL COMMENT '1: shares of equal size, 0: random',
  MIN_MONEY    BIGINT        NOT NULL COMMENT 'of a share',
  MAX_MONEY    BIGINT        NOT NULL DEFAULT 0 COMMENT 'of a share; 0 no bound',
  SEED         BINARY(32)    NOT NULL COMMENT 'who knows it knows every share',
  STATE        TINYINT       NOT NULL COMMENT '1 unpaid, 2 open, 3 finished, 4 closed, 5 expired',
  START_TIME   DATETIME(6)   NULL COMMENT 'inclusive',
  END_TIME     DATETIME(6)   NOT NULL COMMENT 'exclusive',
  OWN_END      TINYINT       NOT NULL COMMENT '1: its sender gave END_TIME',
  BEST_NO      BIGINT        NOT NULL DEFAULT 0 COMMENT 'the largest share so far, of several the first; 0 none',
  BEST_PERSON  VARBINARY(64) NOT NULL DEFAULT x'',
  BEST_MONEY   BIGINT        NOT NULL DEFAULT 0,
  BEST_TIME    DATETIME(6)   NULL,
  CONFIRM_TIME DATETIME(6)   NULL,
  OVER_TIME    DATETIME(6)   NULL,
  CREATE_TIME  DATETIME(6)   NOT NULL,
  UPDATE_TIME  DATETIME(6)   NOT NULL,
  PRIMARY KEY (PACKET_ID),
  KEY red_packet_due (STATE, END_TIME),
  CONSTRAINT red_packet_not_negative CHECK (SELL_MONEY >= 0 AND STOCK_MONEY >= 0 AND SELL_NUM >= 0 AND SELL_NUM <= TOTAL_NUM),
  CONSTRAINT red_packet_balance CHECK (TOTAL_MONEY - SELL_MONEY = STOCK_MONEY)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- One row a share, and with SHARE_NO 0 what was left of a packet; each with its payout.
CREATE TABLE IF NOT EXISTS red_packet_share (
  PACKET_ID   BIGINT          NOT NULL,
  SHARE_NO    BIGINT          NOT NULL COMMENT 'from 1; 0: what was left, for the sender',
  PERSON_ID   VARBINARY(64)   NOT NULL,
  REMAINDER   TINYINT         NOT NULL DEFAULT 0 COMMENT '1: SHARE_NO 0',
  PLACES      TINYINT         NOT NULL,
  MONEY       BIGINT          NOT NULL,
  PAY_STATE   TINYINT         NOT NULL DEFAULT 0 COMMENT '0 to be paid out, 1 paid out',
  FAIL_NUM    BIGINT          NOT NULL DEFAULT 0,
  FAIL_REASON VARBINARY(1024) NOT NULL DEFAULT x'' COMMENT 'UTF-8',
  DUE_TIME    DATETIME(6)     NOT NULL COMMENT 'not to be tried before',
  PAY_TIME    DATETIME(6)     NULL,
  CREATE_TIME DATETIME(6)     NOT NULL,
  PRIMARY KEY (PACKET_ID, SHARE_NO),
  UNIQUE KEY red_packet_share_person (PACKET_ID, PERSON_ID, REMAINDER),
  KEY red_packet_share_due (PAY_STATE, DUE_TIME, PACKET_ID, SHARE_NO),
  CONSTRAINT red_packet_share_money CHECK (MONEY > 0 AND FAIL_NUM >= 0)
) ENGINE = InnoDB COMMENT = 'holdfast';
