-- +goose Up
-- What is to be told to the rest of the shop, written in the transaction of the change that it tells of. The events of one queue
-- are written under a lock of their item or order, so that their IDs are in the order of the commits. TiDB gives out IDs in order
-- where it caches none (AUTO_INCREMENT, MySQL compatibility mode); other servers read that as a comment.
CREATE TABLE IF NOT EXISTS goods_stock_event (
  EVENT_ID    BIGINT          NOT NULL AUTO_INCREMENT,
  QUEUE       VARBINARY(80)   NOT NULL COMMENT 'whose events are delivered in order',
  KIND        TINYINT         NOT NULL COMMENT '1 sold out, 2 back in stock, 3 low stock, 4 hold expired, 5 hold cancelled, 6 paid, 7 refunded',
  SKU_ID      BIGINT          NOT NULL DEFAULT 0 COMMENT '0: not of an item',
  ACTIVITY_ID BIGINT          NOT NULL DEFAULT 0,
  ORDER_NO    VARBINARY(64)   NOT NULL DEFAULT x'' COMMENT 'empty: not of an order',
  BUYER_ID    VARBINARY(64)   NOT NULL DEFAULT x'',
  REF         VARBINARY(64)   NOT NULL DEFAULT x'' COMMENT 'of a refund: its number',
  NUM         BIGINT          NOT NULL DEFAULT 0 COMMENT 'units',
  STATE       TINYINT         NOT NULL DEFAULT 0 COMMENT '0 to be delivered, 1 done, 2 set aside',
  DUE_TIME    DATETIME(6)     NOT NULL COMMENT 'when it may be delivered; once it is done, when that was',
  DELIVERIES  BIGINT          NOT NULL DEFAULT 0 COMMENT 'how often a handler was given it',
  FAILURES    BIGINT          NOT NULL DEFAULT 0 COMMENT 'how often a handler returned an error',
  REASON      VARBINARY(1024) NOT NULL DEFAULT x'' COMMENT 'of the last failure; UTF-8',
  CREATE_TIME DATETIME(6)     NOT NULL,
  PRIMARY KEY (EVENT_ID),
  KEY goods_stock_event_due (STATE, DUE_TIME, EVENT_ID),
  KEY goods_stock_event_queue (QUEUE, STATE, EVENT_ID)
) ENGINE = InnoDB COMMENT = 'holdfast' /*T![auto_id_cache] AUTO_ID_CACHE = 1 */;

-- A library that does not know the column leaves it at its default.
ALTER TABLE goods_stock
  ADD COLUMN LOW_NUM BIGINT NOT NULL DEFAULT 0 COMMENT 'available units at which stock is low; 0 never',
  ALGORITHM = INSTANT;
