-- +goose Up
-- Coupons. All times are UTC by the server's clock, in microseconds. Amounts are in the smallest unit of
-- the currency, which has PLACES decimal places.

-- The units of campaigns: the tables of goods_stock again. A campaign is the item whose SKU_ID is its ID,
-- and whose SPU_ID is the number of its terms; a claim is an order, its coupon has its number.
CREATE TABLE IF NOT EXISTS coupon_stock (
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
  UNIQUE KEY coupon_stock_id (ID),
  CONSTRAINT coupon_stock_not_negative CHECK (STOCK_TOTAL_NUM >= 0 AND STOCK_SALE_NUM >= 0 AND STOCK_LOCK_NUM >= 0 AND STOCK_LEFT_NUM >= 0 AND STOCK_REFUND_NUM >= 0),
  CONSTRAINT coupon_stock_locked_is_left CHECK (UNLIMITED = 1 OR STOCK_LOCK_NUM <= STOCK_LEFT_NUM),
  CONSTRAINT coupon_stock_balance CHECK (UNLIMITED = 1 OR STOCK_TOTAL_NUM - STOCK_SALE_NUM = STOCK_LEFT_NUM),
  CONSTRAINT coupon_stock_unlimited CHECK (UNLIMITED = 0 OR (UNLIMITED = 1 AND STOCK_TOTAL_NUM = 0 AND STOCK_LEFT_NUM = 0))
) ENGINE = InnoDB COMMENT = 'holdfast';

CREATE TABLE IF NOT EXISTS coupon_stock_hold (
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
  KEY coupon_stock_hold_due (SKU_ID, ACTIVITY_ID, STATE, EXPIRE_TIME),
  CONSTRAINT coupon_stock_hold_num CHECK (NUM >= 0 AND REFUND_NUM >= 0 AND REFUND_NUM <= NUM
    AND RESTOCK_NUM >= 0 AND RESTOCK_NUM <= REFUND_NUM AND FREE_NUM >= 0 AND FREE_NUM <= REFUND_NUM)
) ENGINE = InnoDB COMMENT = 'holdfast';

CREATE TABLE IF NOT EXISTS coupon_stock_buyer (
  SKU_ID      BIGINT        NOT NULL,
  ACTIVITY_ID BIGINT        NOT NULL,
  BUYER_ID    VARBINARY(64) NOT NULL,
  HELD_NUM    BIGINT        NOT NULL DEFAULT 0 COMMENT 'units locked',
  BOUGHT_NUM  BIGINT        NOT NULL DEFAULT 0 COMMENT 'units paid for, less those given back to the limit',
  HOLD_NUM    BIGINT        NOT NULL DEFAULT 0 COMMENT 'unpaid holds',
  PRIMARY KEY (SKU_ID, ACTIVITY_ID, BUYER_ID),
  CONSTRAINT coupon_stock_buyer_not_negative CHECK (HELD_NUM >= 0 AND BOUGHT_NUM >= 0 AND HOLD_NUM >= 0)
) ENGINE = InnoDB COMMENT = 'holdfast';

CREATE TABLE IF NOT EXISTS coupon_stock_refund (
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
  KEY coupon_stock_refund_order (ORDER_NO)
) ENGINE = InnoDB COMMENT = 'holdfast';

CREATE TABLE IF NOT EXISTS coupon_stock_change (
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
  KEY coupon_stock_change_item (SKU_ID, ACTIVITY_ID, KIND)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- What coupons promise. Rows are never changed: a campaign that gets other terms gets another row.
CREATE TABLE IF NOT EXISTS coupon_terms (
  CAMPAIGN_ID BIGINT         NOT NULL,
  TERMS_NO    BIGINT         NOT NULL,
  TITLE       VARBINARY(512) NOT NULL COMMENT 'UTF-8',
  SCOPE       VARBINARY(512) NOT NULL COMMENT 'UTF-8; of the shop',
  KIND        TINYINT        NOT NULL COMMENT '1 amount off, 2 percent off, 3 gift',
  PLACES      TINYINT        NOT NULL,
  AMOUNT      BIGINT         NOT NULL DEFAULT 0,
  PERCENT     INT            NOT NULL DEFAULT 0 COMMENT 'hundredths of a percent',
  CAP         BIGINT         NOT NULL DEFAULT 0 COMMENT '0 none',
  MINIMUM     BIGINT         NOT NULL DEFAULT 0,
  VALID_FROM  DATETIME(6)    NULL,
  VALID_UNTIL DATETIME(6)    NULL COMMENT 'NULL: relative to the claim',
  AFTER_DAYS  INT            NOT NULL DEFAULT 0,
  FOR_DAYS    INT            NOT NULL DEFAULT 0,
  ZONE        VARBINARY(64)  NOT NULL COMMENT 'IANA name',
  POOL        TINYINT        NOT NULL DEFAULT 0 COMMENT '1: coupons have codes',
  CREATE_TIME DATETIME(6)    NOT NULL,
  PRIMARY KEY (CAMPAIGN_ID, TERMS_NO)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- How many codes a campaign ever had. Who adds some has this row locked, and nothing that claims need.
CREATE TABLE IF NOT EXISTS coupon_pool (
  CAMPAIGN_ID BIGINT NOT NULL,
  CODE_NUM    BIGINT NOT NULL,
  PRIMARY KEY (CAMPAIGN_ID),
  CONSTRAINT coupon_pool_not_negative CHECK (CODE_NUM >= 0)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- The codes of a campaign, by the order in which they are handed out: the n-th coupon gets the n-th.
CREATE TABLE IF NOT EXISTS coupon_code (
  CAMPAIGN_ID BIGINT        NOT NULL,
  POSITION    BIGINT        NOT NULL COMMENT 'from 1, without gaps',
  CODE        VARBINARY(64) NOT NULL,
  PRIMARY KEY (CODE),
  UNIQUE KEY coupon_code_position (CAMPAIGN_ID, POSITION)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- One row a coupon. Its number is that of its claim in coupon_stock_hold.
CREATE TABLE IF NOT EXISTS coupon_wallet (
  COUPON_NO   VARBINARY(64) NOT NULL,
  CAMPAIGN_ID BIGINT        NOT NULL,
  BUYER_ID    VARBINARY(64) NOT NULL,
  TERMS_NO    BIGINT        NOT NULL,
  POSITION    BIGINT        NULL COMMENT 'its code; NULL none',
  STATE       TINYINT       NOT NULL COMMENT '1 pending, 2 usable, 3 reserved, 4 redeemed, 5 refunded, 6 revoked',
  VALID_FROM  DATETIME(6)   NULL COMMENT 'inclusive; NULL while it is pending',
  VALID_UNTIL DATETIME(6)   NULL COMMENT 'exclusive',
  ORDER_NO    VARBINARY(64) NULL COMMENT 'which reserves or used it',
  EXPIRE_TIME DATETIME(6)   NULL COMMENT 'a reservation lives strictly before it',
  CLAIM_TIME  DATETIME(6)   NULL,
  UPDATE_TIME DATETIME(6)   NOT NULL,
  PRIMARY KEY (COUPON_NO),
  UNIQUE KEY coupon_wallet_position (CAMPAIGN_ID, POSITION),
  KEY coupon_wallet_buyer (BUYER_ID, VALID_UNTIL, COUPON_NO),
  CONSTRAINT coupon_wallet_order CHECK ((STATE IN (3, 4)) = (ORDER_NO IS NOT NULL) AND (STATE <> 3 OR EXPIRE_TIME IS NOT NULL)),
  CONSTRAINT coupon_wallet_validity CHECK (STATE = 1 OR (VALID_FROM IS NOT NULL AND VALID_UNTIL IS NOT NULL))
) ENGINE = InnoDB COMMENT = 'holdfast';

-- What orders did with coupons: one row a pair of them.
CREATE TABLE IF NOT EXISTS coupon_use (
  COUPON_NO   VARBINARY(64) NOT NULL,
  ORDER_NO    VARBINARY(64) NOT NULL,
  STATE       TINYINT       NOT NULL COMMENT '1 reserved, 2 redeemed, 3 released, 4 returned',
  PLACES      TINYINT       NOT NULL,
  TOTAL       BIGINT        NOT NULL COMMENT 'of the order',
  DISCOUNT    BIGINT        NOT NULL COMMENT 'what the coupon takes off it',
  EXPIRE_TIME DATETIME(6)   NOT NULL COMMENT 'a reservation lives strictly before it',
  REDEEM_TIME DATETIME(6)   NULL,
  CREATE_TIME DATETIME(6)   NOT NULL,
  UPDATE_TIME DATETIME(6)   NOT NULL,
  PRIMARY KEY (COUPON_NO, ORDER_NO),
  KEY coupon_use_order (ORDER_NO),
  CONSTRAINT coupon_use_discount CHECK (TOTAL >= 0 AND DISCOUNT >= 0 AND DISCOUNT <= TOTAL)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- Coupons given to many buyers at once.
CREATE TABLE IF NOT EXISTS coupon_batch (
  BATCH_NO    VARBINARY(64) NOT NULL,
  CAMPAIGN_ID BIGINT        NOT NULL,
  ISSUE_ALL   TINYINT       NOT NULL COMMENT '1: to all of them or to none',
  DIGEST      BINARY(32)    NOT NULL COMMENT 'of the buyers',
  BUYER_NUM   INT           NOT NULL DEFAULT 0 COMMENT 'rows in coupon_batch_buyer',
  CREATE_TIME DATETIME(6)   NOT NULL,
  PRIMARY KEY (BATCH_NO)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- What became of each buyer of a batch.
CREATE TABLE IF NOT EXISTS coupon_batch_buyer (
  BATCH_NO  VARBINARY(64) NOT NULL,
  COUPON_NO VARBINARY(64) NOT NULL,
  LINE_NO   INT           NOT NULL COMMENT 'from 1, in their order',
  BUYER_ID  VARBINARY(64) NOT NULL,
  REASON    TINYINT       NOT NULL COMMENT '0 given, 1 sold out, 2 per buyer, 3 closed, 4 not yet, 5 over, 6 overflow, 7 number taken, 8 no campaign',
  PRIMARY KEY (BATCH_NO, COUPON_NO)
) ENGINE = InnoDB COMMENT = 'holdfast';
