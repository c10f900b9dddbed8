package along

import (
	"strings"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// kind is what a token is.
type kind uint8

const (
	word   kind = iota // a keyword, or a name without quotes
	name               // a name in backticks
	quoted             // what stands in single or double quotes; double quotes are a name with ANSI_QUOTES
	number
	mark // a placeholder
	sign // any other character
)

// token is a part of a text, without the blanks and comments before it.
type token struct {
	kind kind
	text string // with its quotes
	from int    // where it begins
}

// is reports whether a token is a keyword or a sign.
func (t token) is(text string) bool {
	return (t.kind == word || t.kind == sign) && strings.EqualFold(t.text, text)
}

// names reports whether a token may be a name.
func (t token) names() bool { return t.kind == word || t.kind == name }

// end is where it ends.
func (t token) end() int { return t.from + len(t.text) }

// tokenize splits a text. It refuses what different sessions read differently: a backslash in quotes ends there with
// NO_BACKSLASH_ESCAPES, and a comment like /*! is code on some servers.
func tokenize(text string) (tokens []token, err error) {
	for i := 0; i < len(text); {
		n := blank(text[i:])
		if n > 0 {
			i += n
			continue
		}
		t := token{kind: sign, from: i}
		n = 1
		switch c := text[i]; {
		case strings.HasPrefix(text[i:], "/*"):
			return nil, fault.Invalid("along", "has a comment that does not end, or one that servers execute: %q", text[i:])
		case c == '\'', c == '"', c == '`':
			if t.kind, n, err = quote(text[i:]); err != nil {
				return nil, err
			}
		case c == '?':
			t.kind = mark
		case '0' <= c && c <= '9':
			t.kind, n = number, wordLen(text[i:])
		case wordLen(text[i:]) > 0:
			t.kind, n = word, wordLen(text[i:])
		}
		t.text = text[i : i+n]
		tokens = append(tokens, t)
		i += n
	}
	return tokens, nil
}

// blank returns the length of the blank or comment that a text begins with.
func blank(text string) int {
	switch {
	case text[0] <= ' ':
		return 1
	case text[0] == '#', strings.HasPrefix(text, "--") && (len(text) == 2 || text[2] <= ' '):
		if n := strings.IndexByte(text, '\n'); n >= 0 {
			return n + 1
		}
		return len(text)
	case strings.HasPrefix(text, "/*") && !strings.HasPrefix(text, "/*!") && !strings.HasPrefix(text, "/*M!"):
		if n := strings.Index(text[2:], "*/"); n >= 0 {
			return n + 4
		}
	}
	return 0
}

// quote returns the kind and the length of what stands in quotes at the beginning of a text. Doubled quotes within it make
// two of them, which stand side by side.
func quote(text string) (kind, int, error) {
	n := strings.IndexByte(text[1:], text[0])
	if n < 0 {
		return 0, 0, fault.Invalid("along", "has a quote that does not end: %q", text)
	}
	n += 2
	if text[0] == '`' {
		return name, n, nil
	}
	if strings.Contains(text[:n], `\`) {
		return 0, 0, fault.Invalid("along", "has a backslash in quotes, pass the value as an argument: %q", text[:n])
	}
	return quoted, n, nil
}

// wordLen returns the length of the word that a text begins with.
func wordLen(text string) int {
	n := 0
	for n < len(text) {
		c := text[n]
		if (c < '0' || '9' < c) && (c|0x20 < 'a' || 'z' < c|0x20) && c != '_' && c != '$' && c < 0x80 {
			break
		}
		n++
	}
	return n
}
