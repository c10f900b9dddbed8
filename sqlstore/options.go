package sqlstore

import (
	"regexp"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// Options say where the tables are and how they are used. The zero value is the default.
type Options struct {
	// Prefix is put in front of the name of each table: up to 16 of a-z, 0-9 and _, starting
	// with a letter.
	Prefix string

	// Unmerged makes each Lock a transaction of its own. By default, concurrent Locks of one SKU
	// that are not in a caller's transaction share one, with the same results.
	Unmerged bool
}

var prefixPattern = regexp.MustCompile(`^([a-z][a-z0-9_]{0,15})?$`)

// prefix returns the prefix, or ErrInvalid for one that is none. Nil options have none.
func (o *Options) prefix() (string, error) {
	if o == nil {
		return "", nil
	}
	if !prefixPattern.MatchString(o.Prefix) {
		return "", fault.Invalid("Prefix", "must be up to 16 of a-z, 0-9 and _, starting with a letter, is %q", o.Prefix)
	}
	return o.Prefix, nil
}
