package mysql

import (
	"errors"

	"github.com/go-sql-driver/mysql"
)

// Scope is what has failed with a statement that is not the store's own.
type Scope uint8

// The scopes.
const (
	WholeTransaction Scope = iota // the transaction or the connection has ended, or can do nothing more
	SomeStatement                 // the statement; what is left of the transaction is not known
	OneText                       // the statement alone: the server does not take its text
	OneRow                        // the statement alone: the server does not take one of its rows
)

// ScopeOf returns the scope of an error. Servers keep a transaction whose statement has failed for a value or a text. MySQL
// Reference Manual, InnoDB Error Handling.
func ScopeOf(err error) Scope {
	if errors.Is(err, ErrStuck) {
		return SomeStatement
	}
	switch n := Number(err); n {
	case 0: // of the driver; it has sent nothing that is too long
		if errors.Is(err, mysql.ErrPktTooLarge) {
			return SomeStatement
		}
		return WholeTransaction
	case ErrDuplicate, errDuplicateName, errDuplicateOnWrite, errCheckMySQL, errCheckMariaDB, errNotNull, errTooLong, errColumnRange,
		errWrongValue, errTruncatedValue, errTruncated, errDivision, ErrOutOfRange, errWrongTime, errChildRow, errParentRow, errNoChildRow,
		errNoParentRow, errWrongJSON, errSignal, errNoPartition:
		return OneRow
	case errSyntax, errNoColumn, errNoTable, errValueCount, errTwice, errDenied, errColumnDenied, errDatabaseDenied, errNoDefault,
		errNoSavepoint, errNoDatabase, errNotInsertable, errNotUpdatable, errGenerated:
		return OneText
	case errLockWait, errInterrupted, errMaxTimeMySQL, errMaxTimeMariaDB:
		return SomeStatement
	}
	if transient(err) || inconclusive(err) {
		return WholeTransaction
	}
	return SomeStatement
}

// The error numbers of statements that are not the store's own.
const (
	errDuplicateOnWrite = 1022
	errDatabaseDenied   = 1044
	errNotNull          = 1048
	errNoDatabase       = 1049
	errNoColumn         = 1054
	errSyntax           = 1064
	errTwice            = 1110 // a column is named twice
	errValueCount       = 1136
	errColumnDenied     = 1143
	errNoParentRow      = 1216
	errNoChildRow       = 1217
	errTruncated        = 1265
	errNotUpdatable     = 1288
	errTruncatedValue   = 1292
	errNoDefault        = 1364
	errDivision         = 1365
	errWrongValue       = 1366
	errTooLong          = 1406
	errWrongTime        = 1411
	errParentRow        = 1451
	errChildRow         = 1452
	errNotInsertable    = 1471
	errNoPartition      = 1526
	errDuplicateName    = 1586
	errSignal           = 1644 // of a trigger
	errGenerated        = 3105 // MySQL: a generated column has a value
	errWrongJSON        = 3140
)
