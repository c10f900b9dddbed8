package along

import (
	"slices"
	"strings"
	"sync"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// shape is how several statements of one text become one.
type shape uint8

const (
	single shape = iota // they do not
	insert              // INSERT … VALUES with all groups
	update              // UPDATE … WHERE column IN (…)
)

// text is a text that was read. It does not change.
type text struct {
	sql   string
	marks int // its placeholders
	shape shape

	// The parts that a merged text is made of: what stands before the groups of an INSERT or behind the column of an UPDATE, the
	// groups, and what stands behind.
	head, groups, tail string

	rows   int64 // how many rows it affects where each call has its effect: the groups of an INSERT, one of an UPDATE
	counts bool  // an UPDATE reads a column to set one: it has to run once for each call
}

// texts remembers the texts that were read. A shop has few.
var texts struct {
	mu    sync.RWMutex
	known map[string]*text
}

// mostTexts bounds how many are remembered.
const mostTexts = 1_000

// read reads a text, or returns ErrInvalid.
func read(sql string) (*text, error) {
	texts.mu.RLock()
	t := texts.known[sql]
	texts.mu.RUnlock()
	if t != nil {
		return t, nil
	}
	t, err := parse(sql)
	if err != nil {
		return nil, err
	}
	texts.mu.Lock()
	defer texts.mu.Unlock()
	if texts.known == nil || len(texts.known) >= mostTexts {
		texts.known = map[string]*text{}
	}
	texts.known[sql] = t
	return t, nil
}

// parse reads a text.
func parse(sql string) (*text, error) {
	tokens, err := tokenize(sql)
	if err != nil {
		return nil, err
	}
	if end := slices.IndexFunc(tokens, func(t token) bool { return t.is(";") }); end >= 0 {
		if end < len(tokens)-1 {
			return nil, fault.Invalid("along", "must be one statement, is more: %q", sql)
		}
		sql, tokens = sql[:tokens[end].from], tokens[:end]
	}
	if len(tokens) == 0 || !oneOf(tokens[0], "INSERT", "REPLACE", "UPDATE", "DELETE") {
		return nil, fault.Invalid("along", "must be an INSERT, REPLACE, UPDATE or DELETE, is %q", sql)
	}
	t := &text{sql: sql}
	for _, token := range tokens {
		switch {
		case token.kind == mark:
			t.marks++
		case token.is("@"):
			return nil, fault.Invalid("along", "must not use variables: %q", sql)
		case token.kind != sign && strings.EqualFold(strings.Trim(token.text, "`'\""), "LAST_INSERT_ID"):
			return nil, fault.Invalid("along", "must not use LAST_INSERT_ID: %q", sql)
		}
	}
	if t.marks > maxMarks {
		return nil, fault.Invalid("along", "must have %d placeholders at most, has %d", maxMarks, t.marks)
	}
	if !slices.ContainsFunc(tokens, func(t token) bool { return t.is("SELECT") }) && !t.insert(tokens) {
		t.update(tokens)
	}
	return t, nil
}

// oneOf reports whether a token is one of some keywords.
func oneOf(t token, words ...string) bool { return slices.ContainsFunc(words, t.is) }

// skip returns the tokens behind those that match, one each, or nil.
func skip(tokens []token, matches ...func(token) bool) []token {
	if len(tokens) < len(matches) {
		return nil
	}
	for i, match := range matches {
		if !match(tokens[i]) {
			return nil
		}
	}
	return tokens[len(matches):]
}

// table returns the tokens behind the name of a table, or nil.
func table(tokens []token) []token {
	rest := skip(tokens, token.names)
	if behind := skip(rest, func(t token) bool { return t.is(".") }, token.names); behind != nil {
		return behind
	}
	return rest
}

// parens returns how many tokens a pair of parentheses has with what is in it; 0 where there is none.
func parens(tokens []token) int {
	if len(tokens) == 0 || !tokens[0].is("(") {
		return 0
	}
	depth := 0
	for i, t := range tokens {
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
		if depth == 0 {
			return i + 1
		}
	}
	return 0
}

// insert reads INSERT [INTO] table [(columns)] VALUES (…), … and nothing behind.
func (t *text) insert(tokens []token) bool {
	rest := skip(tokens, func(t token) bool { return t.is("INSERT") })
	if behind := skip(rest, func(t token) bool { return t.is("INTO") }); behind != nil {
		rest = behind
	}
	rest = table(rest)
	rest = skip(rest[parens(rest):], func(t token) bool { return oneOf(t, "VALUES", "VALUE") })
	if len(rest) == 0 {
		return false
	}
	first, groups := rest[0].from, int64(0)
	for {
		n := parens(rest)
		if n == 0 {
			return false
		}
		groups++
		last := rest[n-1].end()
		if rest = rest[n:]; len(rest) == 0 {
			t.shape, t.rows = insert, groups
			t.head, t.groups, t.tail = t.sql[:first], t.sql[first:last], t.sql[last:]
			return true
		}
		if !rest[0].is(",") {
			return false
		}
		rest = rest[1:]
	}
}

// update reads UPDATE table SET … WHERE column = ? and nothing behind. The condition may stand in parentheses.
func (t *text) update(tokens []token) {
	rest := skip(tokens, func(t token) bool { return t.is("UPDATE") }, func(t token) bool { return !t.is("IGNORE") })
	if rest == nil {
		return
	}
	rest = table(tokens[1:])
	set := slices.IndexFunc(rest, func(t token) bool { return t.is("SET") })
	where := slices.IndexFunc(rest, func(t token) bool { return t.is("WHERE") })
	if set < 0 || where < set || !alias(rest[:set]) {
		return
	}
	condition := rest[where+1:]
	if n := parens(condition); n > 0 && n == len(condition) {
		condition = condition[1 : n-1]
	}
	column := table(condition)
	if len(column) != 2 || !column[0].is("=") || column[1].kind != mark {
		return
	}
	key := condition[len(condition)-3]
	sets, ok := assignments(rest[set+1:where], key)
	if !ok {
		return
	}
	t.shape, t.rows, t.counts = update, 1, sets
	t.head, t.tail = t.sql[:key.end()], t.sql[column[1].end():]
}

// alias reports whether tokens give a table another name, or none.
func alias(tokens []token) bool {
	behind := skip(tokens, func(t token) bool { return t.is("AS") })
	if behind != nil {
		tokens = behind
	}
	return len(tokens) == 0 || len(tokens) == 1 && tokens[0].names()
}

// constants are words of an expression that name no column.
var constants = []string{
	"NULL", "TRUE", "FALSE", "DEFAULT", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "LOCALTIME", "LOCALTIMESTAMP",
	"UTC_TIMESTAMP", "UTC_DATE", "UTC_TIME", "INTERVAL", "MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR",
}

// assignments reads what an UPDATE sets. It reports whether a column is read for that, and whether the key stays as it is.
func assignments(tokens []token, key token) (counts, ok bool) {
	depth, left := 0, true
	for i, t := range tokens {
		behind := token{}
		if i+1 < len(tokens) {
			behind = tokens[i+1]
		}
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		case depth == 0 && t.is(","):
			left = true
		case left && t.is("="):
			left = false
		case left && !behind.is(".") && strings.EqualFold(strings.Trim(t.text, "`"), strings.Trim(key.text, "`")):
			return false, false
		case left, t.kind == number, t.kind == mark, t.kind == sign:
		case t.kind == quoted:
			counts = counts || t.text[0] == '"'
		default:
			counts = counts || t.kind == name || !behind.is("(") && !oneOf(t, constants...)
		}
	}
	return counts, true
}
