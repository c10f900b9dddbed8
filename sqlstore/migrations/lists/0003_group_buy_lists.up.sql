-- +goose Up
-- Indexes that only lists for screens need: the teams of an activity, and its refunds. Each costs something whenever a team is
-- opened or a seat is taken.
ALTER TABLE egl_group_team
  ADD KEY egl_group_team_activity (ACTIVITY_ID, STATUS, END_TIME, CODE),
  ALGORITHM = INPLACE, LOCK = NONE;

ALTER TABLE egl_group_participation
  ADD KEY egl_group_participation_refund (ACTIVITY_ID, STATE, EXPIRE_TIME, ORDER_NO),
  ALGORITHM = INPLACE, LOCK = NONE;
