package coupons

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// percentPlaces is how many decimal places a percentage has.
const percentPlaces = 2

// maxTerms is how many terms a store remembers.
const maxTerms = 10_000

// termsColumns are the columns of terms, in the order of termsArgs, behind their key.
const termsColumns = "CAMPAIGN_ID, TERMS_NO, TITLE, SCOPE, KIND, PLACES, AMOUNT, PERCENT, CAP, MINIMUM, VALID_FROM, VALID_UNTIL," +
	" AFTER_DAYS, FOR_DAYS, ZONE, POOL"

// termsRead are the same columns, in the order in which scanTerms reads them.
var termsRead = "CAMPAIGN_ID, TERMS_NO, TITLE, SCOPE, KIND, PLACES, AMOUNT, PERCENT, CAP, MINIMUM, " +
	mysql.Micros("VALID_FROM") + ", " + mysql.Micros("VALID_UNTIL") + ", AFTER_DAYS, FOR_DAYS, ZONE, POOL"

// termsArgs returns terms as arguments of mysql.Render. Amounts that no currency has are ErrInvalid.
func termsArgs(t coupon.Terms) ([]any, error) {
	if err := money.Places(t.Places); err != nil {
		return nil, err
	}
	amount, err1 := money.Minor("amount", t.Amount, t.Places)
	percent, err2 := money.Minor("percent", t.Percent, percentPlaces)
	limit, err3 := money.Minor("cap", t.Cap, t.Places)
	minimum, err4 := money.Minor("minimum", t.Minimum, t.Places)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	return []any{
		t.Title, t.Scope, int64(t.Kind), int64(t.Places), amount, percent, limit, minimum, t.ValidFrom, t.ValidUntil, t.AfterDays, t.ForDays,
		t.Zone, t.Pool,
	}, nil
}

// scanTerms scans termsRead.
func scanTerms(rows *sql.Rows) (termsKey, coupon.Terms, error) {
	var key termsKey
	var t coupon.Terms
	var amount, percent, limit, minimum int64
	var from, until sql.NullInt64
	err := rows.Scan(&key.campaign, &key.no, &t.Title, &t.Scope, &t.Kind, &t.Places, &amount, &percent, &limit, &minimum,
		&from, &until, &t.AfterDays, &t.ForDays, &t.Zone, &t.Pool)
	t.Amount, t.Percent = money.Decimal(amount, t.Places), money.Decimal(percent, percentPlaces)
	t.Cap, t.Minimum = money.Decimal(limit, t.Places), money.Decimal(minimum, t.Places)
	t.ValidFrom, t.ValidUntil = mysql.FromNullMicros(from), mysql.FromNullMicros(until)
	return key, t, err
}

// termsKey names terms.
type termsKey struct{ campaign, no int64 }

// termsCache remembers terms, which never change. It is safe for concurrent use.
type termsCache struct {
	mu    sync.Mutex
	terms map[termsKey]coupon.Terms
}

// get returns the terms that are in the cache, and the keys of the others, each once.
func (m *termsCache) get(keys []termsKey) (map[termsKey]coupon.Terms, []termsKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := make(map[termsKey]coupon.Terms, 1) // mostly one campaign
	missing := map[termsKey]bool{}
	var others []termsKey
	for _, key := range keys {
		if terms, ok := m.terms[key]; ok {
			found[key] = terms
		} else if !missing[key] {
			missing[key] = true
			others = append(others, key)
		}
	}
	return found, others
}

// put adds committed terms. A full cache is emptied first.
func (m *termsCache) put(terms map[termsKey]coupon.Terms) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.terms == nil || len(m.terms)+len(terms) > maxTerms {
		m.terms = make(map[termsKey]coupon.Terms, len(terms))
	}
	maps.Copy(m.terms, terms)
}

// termsOf returns terms, from the cache or by one read. Unknown ones are missing in the result. They are read with a lock, so that what
// another transaction has just recorded is seen. All coupons of a campaign need them: a caller's transaction first looks for them
// without a lock, and its lock is for what is newer than its snapshot. Terms that a caller's transaction reads do not go into the
// cache: the transaction may have recorded them itself, and roll back.
func (c *Store) termsOf(ctx context.Context, query mysql.QueryFunc, keys ...termsKey) (map[termsKey]coupon.Terms, error) {
	found, others := c.cache.get(keys)
	if c.units.Bound() {
		seen, err := c.readTerms(ctx, c.units.Query, others, "")
		if err != nil {
			return nil, err
		}
		maps.Copy(found, seen)
		others = slices.DeleteFunc(others, func(key termsKey) bool { _, ok := seen[key]; return ok })
	}
	fresh, err := c.readTerms(ctx, query, others, " FOR UPDATE")
	if err != nil {
		return nil, err
	}
	if !c.units.Bound() {
		c.cache.put(fresh)
	}
	maps.Copy(found, fresh)
	return found, nil
}

// readTerms reads terms.
func (c *Store) readTerms(ctx context.Context, query mysql.QueryFunc, keys []termsKey, lock string) (map[termsKey]coupon.Terms, error) {
	if len(keys) == 0 {
		return map[termsKey]coupon.Terms{}, nil
	}
	args := make([]any, 0, 2*len(keys))
	for _, key := range keys {
		args = append(args, key.campaign, key.no)
	}
	found := make(map[termsKey]coupon.Terms, len(keys))
	err := query(ctx, mysql.Render(c.sql.anyTerms(len(keys)), args...)+lock, func(rows *sql.Rows) error {
		key, terms, err := scanTerms(rows)
		if terms.Kind != 0 { // of a blank row; see Handle.Among
			found[key] = terms
		}
		return err
	})
	return found, err
}
