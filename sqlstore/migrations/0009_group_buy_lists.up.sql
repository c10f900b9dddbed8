-- +goose Up
-- The list of the activities in a state.
ALTER TABLE egl_group
  ADD KEY egl_group_end (END_TIME),
  ALGORITHM = INPLACE, LOCK = NONE;
