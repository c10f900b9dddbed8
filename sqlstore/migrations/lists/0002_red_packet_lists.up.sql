-- +goose Up
-- An index that only a list for screens needs: the shares of a person. It costs something whenever a share is grabbed.
ALTER TABLE red_packet_share
  ADD KEY red_packet_share_mine (PERSON_ID, CREATE_TIME),
  ALGORITHM = INPLACE, LOCK = NONE;
