package packets

import (
	"context"
	"database/sql"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// Book implements redpacket.Store.
func (r *Store) Book(ctx context.Context, id int64) (redpacket.Book, error) {
	if err := r.units.Ready(ctx); err != nil {
		return redpacket.Book{}, err
	}
	var book redpacket.Book
	err := r.units.Query(ctx, mysql.Render(r.sql.book, id, id, id, id), func(rows *sql.Rows) error {
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
