-- name: CreateOrder :exec
INSERT INTO shop_order (id, buyer, cents, status, created_at) VALUES (?, ?, ?, 'new', ?);

-- name: MarkPaid :execrows
UPDATE shop_order SET status = 'paid' WHERE id = ?;
