package contender

import (
	"slices"
	"strings"
	"testing"
)

func TestEveryKindIsFoundByItsNameAndSaysWhatItIs(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, kind := range Kinds() {
		found, err := Find(kind.Name)
		if err != nil || found.Title != kind.Title {
			t.Errorf("%s: got %q, %v", kind.Name, found.Title, err)
		}
		if kind.About == "" || kind.open == nil || kind.base == nil || seen[kind.Name] {
			t.Errorf("%s is incomplete, or there twice", kind.Name)
		}
		seen[kind.Name] = true
	}
	if _, err := Find("nobody"); err == nil {
		t.Error("found nobody")
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		books Books
		told  Tally
		want  []string // the beginnings
	}{
		{
			name:  "all is as it was told",
			books: Books{Holds: 10, Live: 4, Paid: 3, Locked: 4, Sold: 3, Total: 10, LiveUnits: 4, PaidUnits: 3},
			told:  Tally{Locked: 10, Paid: 3, Cancelled: 2, Expired: 1, Refused: 7},
		},
		{
			name:  "a hold is gone",
			books: Books{Holds: 10, Live: 9, Locked: 9, Total: 10, LiveUnits: 9}, told: Tally{Locked: 10},
			want: []string{"lost 1 live holds"},
		},
		{
			name:  "a hold that was cancelled is gone",
			books: Books{Holds: 9, Total: 10}, told: Tally{Locked: 10, Cancelled: 10},
			want: []string{"lost 1 holds"},
		},
		{
			name:  "a hold too many",
			books: Books{Holds: 10, Live: 11, Locked: 11, Total: 100, LiveUnits: 11}, told: Tally{Locked: 10},
			want: []string{"1 live holds nobody was told of"},
		},
		{
			name:  "a call without an answer explains one hold more or less",
			books: Books{Holds: 10, Live: 11, Locked: 11, Total: 100, LiveUnits: 11}, told: Tally{Locked: 10, Failed: 1},
		},
		{
			name:  "more sold than there was",
			books: Books{NoHolds: true, Live: 12, Locked: 12, Total: 10, LiveUnits: 12}, told: Tally{Locked: 12},
			want: []string{"sold 2 too many"},
		},
		{
			name:  "counters without holds",
			books: Books{Holds: 10, Live: 10, Locked: 12, Total: 20, LiveUnits: 10}, told: Tally{Locked: 10},
			want: []string{"the counters say 12"},
		},
		{
			name: "orders of two lines",
			books: Books{
				Holds: 10, Live: 7, Paid: 3, LiveUnits: 14, PaidUnits: 6, Locked: 14, Sold: 6, Total: 20, Shop: true, Rows: 10, PaidRows: 3,
			},
			told: Tally{Locked: 10, Paid: 3},
		},
		{
			name:  "a shop row without a hold",
			books: Books{Holds: 9, Live: 9, LiveUnits: 9, Locked: 9, Total: 20, Shop: true, Rows: 10}, told: Tally{Locked: 9, Failed: 1},
			want: []string{"10 shop rows for 9 holds"},
		},
		{
			name:  "where the two are apart, a call without an answer explains it",
			books: Books{Holds: 9, Live: 9, LiveUnits: 9, Locked: 9, Total: 20, Shop: true, Rows: 10, Loose: true},
			told:  Tally{Locked: 9, Failed: 1},
		},
		{
			name:  "and nothing else does",
			books: Books{Holds: 9, Live: 9, LiveUnits: 9, Locked: 9, Total: 20, Shop: true, Rows: 9, PaidRows: 1, Loose: true},
			told:  Tally{Locked: 9}, want: []string{"9 shop rows for 9 holds, 1 paid for 0 paid"},
		},
		{
			name:  "what the audit finds",
			books: Books{Drifts: []string{"SKU 1: left is 2"}},
			want:  []string{"SKU 1"},
		},
		{
			name:  "the limit has no counters",
			books: Books{Live: 5, NoCounters: true, Holds: 5, LiveUnits: 5}, told: Tally{Locked: 5},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := tc.books.Problems(tc.told)
			if !slices.EqualFunc(got, tc.want, strings.HasPrefix) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestCounterCountsWhatReachesTheItem(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]int64{
		"UPDATE goods_stock s SET s.STOCK_LOCK_NUM = 1":                               1,
		"SELECT 1 FROM goods_stock":                                                   1,
		"INSERT INTO goods_stock_hold (ORDER_NO) VALUES (1)":                          0,
		"UPDATE goods_stock_hold h STRAIGHT_JOIN goods_stock s ON TRUE SET h.NUM = 1": 1,
		"UPDATE bench_stock SET STOCK_LOCK_NUM = 1":                                   1,
		"COMMIT": 0,
	} {
		c := new(Counter)
		c.note(query)
		if got := c.Count(); got != want {
			t.Errorf("%s: counted %d, want %d", query, got, want)
		}
	}
	if got := (*Counter)(nil).Count(); got != 0 {
		t.Errorf("nobody counted %d", got)
	}
}

func TestSumsOfABatchAreThoseOfItsItems(t *testing.T) {
	t.Parallel()
	text, items := takeSums([]Order{{No: "1", SKUs: []int64{1, 7}}, {No: "2", SKUs: []int64{1, 9}}, {No: "3", SKUs: []int64{1}}})
	want := " + 1 * (SKU_ID IN (1, 7, 9)) + 2 * (SKU_ID IN (1))"
	if items != 3 || strings.Count(text, want) != 2 || !strings.Contains(text, " WHERE SKU_ID IN (1, 7, 9) AND ") {
		t.Errorf("got %d items by %s", items, text)
	}
	if text, items = takeSums([]Order{{SKUs: []int64{5}}, {SKUs: []int64{5}}}); items != 1 || strings.Count(text, "STOCK_LOCK_NUM + 2") != 2 {
		t.Errorf("got %d items by %s", items, text)
	}
}
