-- +goose Up
-- Group buying. All times are UTC by the server's clock, in microseconds. Money is in the smallest unit of the
-- currency, which has PLACES decimal places; volumes have two. The units of products are items of goods_stock in
-- the pool of their activity, and a seat is the hold of its order there.

-- One row an activity. Its ID is the ACTIVITY_ID of its pools.
CREATE TABLE IF NOT EXISTS egl_group (
  ID           BIGINT         NOT NULL,
  TITLE        VARBINARY(512) NOT NULL COMMENT 'UTF-8',
  IMAGE        VARBINARY(512) NOT NULL,
  FORM_MINUTES INT            NOT NULL COMMENT 'how long a team has',
  HIDDEN       TINYINT        NOT NULL DEFAULT 0 COMMENT '1: in no shop window',
  START_TIME   DATETIME(6)    NULL COMMENT 'inclusive',
  END_TIME     DATETIME(6)    NOT NULL COMMENT 'exclusive',
  OUTLIVE      TINYINT        NOT NULL DEFAULT 0 COMMENT '1: teams may live past END_TIME',
  SORT         BIGINT         NOT NULL DEFAULT 0,
  OVER_TIME    DATETIME(6)    NULL COMMENT 'when it was ended',
  CREATE_TIME  DATETIME(6)    NOT NULL,
  UPDATE_TIME  DATETIME(6)    NOT NULL,
  VERSION      BIGINT         NOT NULL DEFAULT 1,
  PRIMARY KEY (ID),
  KEY egl_group_due (OVER_TIME, END_TIME)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- One row a product in an activity.
CREATE TABLE IF NOT EXISTS egl_group_product (
  ACTIVITY_ID   BIGINT         NOT NULL,
  SKU_ID        BIGINT         NOT NULL,
  SPU_ID        BIGINT         NOT NULL DEFAULT 0 COMMENT '0 none',
  NAME          VARBINARY(512) NOT NULL COMMENT 'UTF-8',
  SPEC          VARBINARY(512) NOT NULL COMMENT 'UTF-8',
  PLACES        TINYINT        NOT NULL,
  PRICE         BIGINT         NOT NULL COMMENT 'of one alone',
  GROUP_PRICE   BIGINT         NOT NULL COMMENT 'of one in a team',
  MEMBER_ONLY   TINYINT        NOT NULL DEFAULT 0,
  FREE_SHIPPING TINYINT        NOT NULL DEFAULT 0,
  PEOPLE_LIMIT  BIGINT         NOT NULL COMMENT 'paid members that form a team; 0: formed by volume',
  VOLUME_LIMIT  DECIMAL(20, 2) NOT NULL COMMENT 'paid volume that forms a team; 0: formed by people',
  VOLUME_UNITS  BIGINT         NOT NULL COMMENT 'units of stock in a volume of 1',
  PEOPLE_MIN    BIGINT         NOT NULL DEFAULT 0 COMMENT 'forms a team at its deadline; 0 never',
  VOLUME_MIN    DECIMAL(20, 2) NOT NULL DEFAULT 0 COMMENT 'forms a team at its deadline; 0 never',
  ORDER_LIMIT   BIGINT         NOT NULL DEFAULT 0 COMMENT 'units per order; 0 no limit',
  BUYER_LIMIT   BIGINT         NOT NULL DEFAULT 0 COMMENT 'units per buyer; 0 no limit',
  STATE         TINYINT        NOT NULL COMMENT '0 preparing, 1 offered, 2 removed, 3 settled',
  STOCK_NUM     BIGINT         NOT NULL COMMENT 'units that were taken out of ordinary stock for it at first',
  FORMED_NUM    BIGINT         NOT NULL DEFAULT 0 COMMENT 'people whose teams were formed',
  RETURN_NUM    BIGINT         NOT NULL DEFAULT 0 COMMENT 'how often units went back to ordinary stock',
  CREATE_TIME   DATETIME(6)    NOT NULL,
  UPDATE_TIME   DATETIME(6)    NOT NULL,
  VERSION       BIGINT         NOT NULL DEFAULT 1,
  PRIMARY KEY (ACTIVITY_ID, SKU_ID),
  KEY egl_group_product_state (STATE, ACTIVITY_ID, SKU_ID),
  CONSTRAINT egl_group_product_rule CHECK ((PEOPLE_LIMIT >= 2 AND VOLUME_LIMIT = 0) OR (PEOPLE_LIMIT = 0 AND VOLUME_LIMIT > 0)),
  CONSTRAINT egl_group_product_not_negative CHECK (PRICE >= GROUP_PRICE AND GROUP_PRICE >= 0 AND VOLUME_UNITS > 0 AND FORMED_NUM >= 0)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- One row a team: what everything that changes its seats locks and guards.
CREATE TABLE IF NOT EXISTS egl_group_team (
  CODE          VARBINARY(16)  NOT NULL,
  ACTIVITY_ID   BIGINT         NOT NULL,
  SKU_ID        BIGINT         NOT NULL,
  PLACES        TINYINT        NOT NULL COMMENT 'from here to VOLUME_MIN: as they were when it was opened',
  PRICE         BIGINT         NOT NULL,
  GROUP_PRICE   BIGINT         NOT NULL,
  MEMBER_ONLY   TINYINT        NOT NULL,
  FREE_SHIPPING TINYINT        NOT NULL,
  PEOPLE_LIMIT  BIGINT         NOT NULL,
  VOLUME_LIMIT  DECIMAL(20, 2) NOT NULL,
  VOLUME_UNITS  BIGINT         NOT NULL,
  PEOPLE_MIN    BIGINT         NOT NULL,
  VOLUME_MIN    DECIMAL(20, 2) NOT NULL,
  STATUS        TINYINT        NOT NULL COMMENT '0 forming, 1 formed, -1 failed',
  SPONSOR_ID    VARBINARY(64)  NOT NULL,
  SPONSOR_ORDER VARBINARY(64)  NOT NULL,
  HELD_NUM      BIGINT         NOT NULL COMMENT 'seats that are not paid yet',
  PAID_NUM      BIGINT         NOT NULL COMMENT 'seats that are paid and not refunded',
  PAID_VOLUME   DECIMAL(20, 2) NOT NULL COMMENT 'what those buy',
  START_TIME    DATETIME(6)    NOT NULL,
  END_TIME      DATETIME(6)    NOT NULL COMMENT 'a team that is forming lives strictly before it',
  OVER_TIME     DATETIME(6)    NULL COMMENT 'when it was formed or failed',
  CAUSE         TINYINT        NOT NULL DEFAULT 0 COMMENT '1 payment, 2 operator, 3 deadline, 4 its last member left',
  FORM_ORDER    VARBINARY(64)  NOT NULL DEFAULT x'' COMMENT 'whose payment formed it',
  ACTOR         VARBINARY(64)  NOT NULL DEFAULT x'',
  REASON        VARBINARY(512) NOT NULL DEFAULT x'' COMMENT 'UTF-8',
  EVENT_NUM     BIGINT         NOT NULL DEFAULT 0 COMMENT 'events there ever were',
  EVENT_DONE    BIGINT         NOT NULL DEFAULT 0 COMMENT 'of them, those delivered or set aside',
  EVENT_TRIES   BIGINT         NOT NULL DEFAULT 0 COMMENT 'of the next one',
  EVENT_TIME    DATETIME(6)    NULL COMMENT 'when the next one is due; NULL: there is none',
  UPDATE_TIME   DATETIME(6)    NOT NULL,
  VERSION       BIGINT         NOT NULL DEFAULT 1,
  PRIMARY KEY (CODE),
  KEY egl_group_team_state (STATUS, END_TIME, CODE),
  KEY egl_group_team_product (ACTIVITY_ID, SKU_ID, STATUS, END_TIME, CODE),
  KEY egl_group_team_book (ACTIVITY_ID, SKU_ID, CODE),
  KEY egl_group_team_event (EVENT_TIME),
  CONSTRAINT egl_group_team_not_negative CHECK (HELD_NUM >= 0 AND PAID_NUM >= 0 AND PAID_VOLUME >= 0),
  CONSTRAINT egl_group_team_not_over_full CHECK (PEOPLE_LIMIT = 0 OR HELD_NUM + PAID_NUM <= PEOPLE_LIMIT),
  CONSTRAINT egl_group_team_sponsor CHECK (SPONSOR_ORDER <> x'')
) ENGINE = InnoDB COMMENT = 'holdfast';

-- One row a seat. Its order is that of its hold in goods_stock_hold.
CREATE TABLE IF NOT EXISTS egl_group_participation (
  ORDER_NO     VARBINARY(64)  NOT NULL,
  TEAM_CODE    VARBINARY(16)  NOT NULL,
  ACTIVITY_ID  BIGINT         NOT NULL,
  SKU_ID       BIGINT         NOT NULL,
  BUYER_ID     VARBINARY(64)  NOT NULL,
  VOLUME       DECIMAL(20, 2) NOT NULL,
  NAME         VARBINARY(512) NOT NULL COMMENT 'UTF-8',
  AVATAR       VARBINARY(512) NOT NULL,
  ADDRESS      VARBINARY(512) NOT NULL COMMENT 'UTF-8',
  PLACES       TINYINT        NOT NULL,
  SHIPPING_FEE BIGINT         NOT NULL,
  BALANCE_USED BIGINT         NOT NULL,
  SPONSOR      TINYINT        NOT NULL COMMENT '1: it opened the team',
  STATE        TINYINT        NOT NULL COMMENT '1 held, 2 paid, 3 cancelled, 4 expired, 5 refund due, 6 refunded',
  LIVE         TINYINT        NULL COMMENT '1: held or paid; otherwise NULL',
  STATUS       TINYINT        NOT NULL DEFAULT 0 COMMENT '0 forming, 1 formed, -1 failed',
  ADDED        TINYINT        NOT NULL DEFAULT 0 COMMENT '1: paid when its team was formed already',
  START_TIME   DATETIME(6)    NOT NULL COMMENT 'when the seat was taken',
  EXPIRE_TIME  DATETIME(6)    NOT NULL COMMENT 'a seat that is held lives strictly before it',
  PAY_TIME     DATETIME(6)    NULL,
  END_TIME     DATETIME(6)    NULL,
  ACTOR        VARBINARY(64)  NOT NULL DEFAULT x'',
  REASON       VARBINARY(512) NOT NULL DEFAULT x'' COMMENT 'UTF-8',
  UPDATE_TIME  DATETIME(6)    NOT NULL,
  PRIMARY KEY (ORDER_NO),
  UNIQUE KEY egl_group_participation_buyer (TEAM_CODE, BUYER_ID, LIVE),
  KEY egl_group_participation_mine (BUYER_ID, START_TIME, ORDER_NO),
  KEY egl_group_participation_state (STATE, EXPIRE_TIME, ORDER_NO),
  KEY egl_group_participation_product (ACTIVITY_ID, SKU_ID, STATUS),
  CONSTRAINT egl_group_participation_live CHECK ((STATE IN (1, 2)) = (LIVE IS NOT NULL)),
  CONSTRAINT egl_group_participation_volume CHECK (VOLUME > 0)
) ENGINE = InnoDB COMMENT = 'holdfast';

-- What is to be told outside, in the order of EVENT_NO for each team.
CREATE TABLE IF NOT EXISTS egl_group_event (
  TEAM_CODE   VARBINARY(16)   NOT NULL,
  EVENT_NO    BIGINT          NOT NULL COMMENT 'from 1, without gaps',
  KIND        TINYINT         NOT NULL COMMENT '1 formed, 2 member added, 3 failed, 4 refund owed, 5 seat released, 6 corrected',
  ORDER_NO    VARBINARY(64)   NOT NULL DEFAULT x'' COMMENT 'of the seat',
  STATE       TINYINT         NOT NULL DEFAULT 0 COMMENT '0 to be delivered, 1 delivered, 2 set aside',
  TRIES       BIGINT          NOT NULL DEFAULT 0 COMMENT 'those before the last were counted in EVENT_TRIES',
  REASON      VARBINARY(1024) NOT NULL DEFAULT x'' COMMENT 'of the last failure; UTF-8',
  CREATE_TIME DATETIME(6)     NOT NULL,
  DONE_TIME   DATETIME(6)     NULL,
  PRIMARY KEY (TEAM_CODE, EVENT_NO),
  KEY egl_group_event_state (STATE, TEAM_CODE, EVENT_NO)
) ENGINE = InnoDB COMMENT = 'holdfast';
