package groupbuy

import (
	"math"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

func TestACorrectionIsReadAsItWasRecorded(t *testing.T) {
	t.Parallel()
	by := newMarket(t).By("Lin", "why")
	far := stock.Key{SKU: math.MaxInt64, Activity: math.MaxInt64}
	ids := map[string]bool{}
	for _, d := range []Drift{
		{Key: onMarket, Team: "ABCDEFGHJK", Quantity: "held", Counted: amount("3"), Recount: amount("1")},
		{Key: onMarket, Team: "ABCDEFGHJK", Quantity: "paid", Counted: amount("1"), Recount: amount("3")},
		{Key: onMarket, Team: "ABCDEFGHJK", Quantity: "volume", Counted: amount("0.25"), Recount: amount("1")},
		{Key: far, Quantity: "formed", Counted: amount("0"), Recount: amount("2")},
		{Key: far, Quantity: "allotted", Counted: amount("9"), Recount: amount("2")},
		{Key: far, Quantity: "settled", Counted: amount("4"), Recount: amount("0")},
	} {
		change := by.correction(d, math.MaxInt64-1)
		require.LessOrEqual(t, len(change.ID), input.MaxID)
		require.False(t, ids[change.ID], change.ID)
		ids[change.ID] = true
		require.Equal(t, [2]string{"Lin", "why"}, [2]string{change.Actor, change.Reason})
		is, ok := CorrectionOf(change)
		require.True(t, ok)
		require.Equal(t, []any{d.Key, d.Team, d.Quantity}, []any{is.Key, is.Team, is.Quantity})
		require.True(t, is.By.Equal(d.By().Neg()), "%v", is)
	}
	require.Equal(t, "team T of SKU 42 of activity 7: volume +0.75",
		Correction{Key: onMarket, Team: "T", Quantity: "volume", By: amount("0.75")}.String())
	require.Equal(t, "SKU 42 of activity 7: settled -4", Correction{Key: onMarket, Quantity: "settled", By: amount("-4")}.String())
}

// A volume that somebody has written into a table need not fit into the journal.
func TestACorrectionOfAVolumeThatIsTooLarge(t *testing.T) {
	t.Parallel()
	d := Drift{Key: onMarket, Team: "T", Quantity: "volume", Counted: decimal.New(9, 17), Recount: amount("1")}
	require.EqualValues(t, -math.MaxInt64, newMarket(t).correction(d, 1).Entries[0].Asked)
}

func TestOtherChangesAreNoCorrections(t *testing.T) {
	t.Parallel()
	m := offering(t, 2)
	other := tea(2)
	other.Name = "Green tea"
	_, err := m.By("Lin", "it is green").Revise(t.Context(), other)
	require.NoError(t, err)
	page, err := m.ChangesPage(t.Context(), onMarket, stock.PageRequest{})
	require.NoError(t, err)
	require.Len(t, page.Rows, 3)
	entries := []stock.Entry{{Key: onMarket}}
	for _, c := range append(page.Rows,
		stock.Change{Kind: KindRevise, ID: "gbx/1", Entries: entries}, stock.Change{Kind: KindRevise, ID: "fs/42/7/1", Entries: entries},
		stock.Change{Kind: stock.KindRepair, ID: "gbf/42/7/1", Entries: entries}, stock.Change{Kind: KindRevise, ID: "gbf/42/7/1"},
	) {
		_, ok := CorrectionOf(c)
		require.False(t, ok, "%+v", c)
	}
}
