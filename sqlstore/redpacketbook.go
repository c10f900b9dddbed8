package sqlstore

import (
	"context"
	"database/sql"

	"github.com/holdfast-go/holdfast/redpacket"
)

// Book implements redpacket.Store.
func (r *packetStore) Book(ctx context.Context, id int64) (redpacket.Book, error) {
	if err := r.units.ready(ctx); err != nil {
		return redpacket.Book{}, err
	}
	var book redpacket.Book
	err := r.units.query(ctx, render(r.sql.book, id, id, id, id), func(rows *sql.Rows) error {
		var row packetRow
		err := rows.Scan(append(row.targets(), &book.Shares, &book.Money, &book.Remainder, &book.Holds)...)
		book.Record = row.finish()
		return err
	})
	if err != nil {
		return redpacket.Book{}, err
	}
	return book, nil
}
