package sqlstore_test

import (
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// mockTerms is what a server answers that is asked for terms: a gift, good for a day.
func mockTerms() *sqlmock.Rows {
	columns := make([]string, 16)
	return sqlmock.NewRows(columns).AddRow(1, 1, "", "", 3, 2, 0, 0, 0, 0, nil, nil, 0, 1, "UTC", 0)
}

// mockClaim expects the statements of a Take of one unit up to its coupon, of which so many are made.
func mockClaim(mock sqlmock.Sqlmock, known bool, made int64, failure error) {
	mock.ExpectExec("^START TRANSACTION$").WillReturnResult(sqlmock.NewResult(0, 0))
	mock.ExpectExec("^INSERT INTO coupon_stock_hold").WillReturnResult(sqlmock.NewResult(1, 1))
	mock.ExpectExec("^INSERT INTO coupon_stock_buyer").WillReturnResult(sqlmock.NewResult(1, 1))
	mock.ExpectExec("^UPDATE coupon_stock").WillReturnResult(sqlmock.NewResult(1, 1))
	mock.ExpectQuery("^SELECT SKU_ID, STOCK_SALE_NUM").WillReturnRows(sqlmock.NewRows([]string{"campaign", "sold", "terms"}).AddRow(1, 1, 1))
	if !known {
		mock.ExpectQuery("FROM coupon_terms").WillReturnRows(mockTerms())
	}
	insert := mock.ExpectExec("^INSERT INTO coupon_wallet")
	if failure != nil {
		insert.WillReturnError(failure)
		mock.ExpectExec("^ROLLBACK AND NO CHAIN NO RELEASE$").WillReturnResult(sqlmock.NewResult(0, 0))
		return
	}
	insert.WillReturnResult(sqlmock.NewResult(0, made))
	if made == 0 {
		mock.ExpectExec("^ROLLBACK AND NO CHAIN NO RELEASE$").WillReturnResult(sqlmock.NewResult(0, 0))
	} else {
		mock.ExpectExec("^COMMIT AND NO CHAIN NO RELEASE$").WillReturnResult(sqlmock.NewResult(0, 0))
	}
}

// claimOf is the order of a claim.
func claimOf(id string) stock.Order {
	return stock.Order{ID: id, Buyer: "7", Lines: []stock.Line{one(1)}, Immediate: true, Beside: []stock.Companion{coupon.Claim{}}}
}

// A deadlock at the last statement of a claim makes all of it run again; the terms are known by then.
func TestClaimRunsAgainAfterADeadlock(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New()
	require.NoError(t, err)
	mockSession(mock)
	mockClaim(mock, false, 0, &mysql.MySQLError{Number: 1213, Message: "as the test says"})
	mockClaim(mock, true, 1, nil)
	units := sqlstore.NewCoupon(db, &alone).Units()
	require.Equal(t, stock.Done, must(units.Lock(t.Context(), claimOf("a"), time.Minute))(t).Verdict)
	require.NoError(t, mock.ExpectationsWereMet())
}

// What a server must not answer: a coupon that is there before its claim, or is not made, or not paid for. The claim
// is not done, and nobody takes it for one that was done before.
func TestCouponsThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, expect := range map[string]func(mock sqlmock.Sqlmock){
		"it is there before": func(mock sqlmock.Sqlmock) {
			mockClaim(mock, false, 0, &mysql.MySQLError{Number: 1062, Message: "as the test says"})
		},
		"it is not made": func(mock sqlmock.Sqlmock) { mockClaim(mock, false, 0, nil) },
	} {
		db, mock, err := sqlmock.New()
		require.NoError(t, err)
		mockSession(mock)
		expect(mock)
		_, err = sqlstore.NewCoupon(db, &alone).Units().Lock(t.Context(), claimOf("a"), time.Minute)
		require.ErrorIs(t, err, coupon.ErrDrift, name)
		require.False(t, coupon.Retryable(err), name)
		require.NoError(t, mock.ExpectationsWereMet(), name)
	}
	db, mock, err := sqlmock.New()
	require.NoError(t, err)
	mockSession(mock)
	mock.ExpectExec("^START TRANSACTION$").WillReturnResult(sqlmock.NewResult(0, 0))
	mock.ExpectExec("^UPDATE coupon_stock_hold h").WillReturnResult(sqlmock.NewResult(0, 2))
	mock.ExpectQuery("^SELECT w.COUPON_NO").WillReturnRows(sqlmock.NewRows(make([]string, 5)))
	mock.ExpectExec("^ROLLBACK AND NO CHAIN NO RELEASE$").WillReturnResult(sqlmock.NewResult(0, 0))
	_, err = sqlstore.NewCoupon(db, &alone).Units().Move(t.Context(), stock.Movement{Step: stock.StepPay, Order: "a"})
	require.ErrorIs(t, err, coupon.ErrDrift)
	require.NoError(t, mock.ExpectationsWereMet())
}

// The zero of everything refuses before any I/O.
func TestCouponRefusesBeforeAnyIO(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New()
	require.NoError(t, err)
	ctx := t.Context()
	for name, store := range map[string]*sqlstore.Coupon{
		"no pool":        sqlstore.NewCoupon(nil, nil),
		"a bad prefix":   sqlstore.NewCoupon(db, &sqlstore.Options{Prefix: "Shop-"}),
		"no transaction": sqlstore.NewCoupon(db, nil).WithTx(nil),
		"a pool for one": sqlstore.NewCoupon(db, nil).WithTx(db),
	} {
		c := coupon.New(store, nil)
		require.ErrorIs(t, of(c.For("7").Claim(ctx, "a", 1)), coupon.ErrInvalid, name)
		require.ErrorIs(t, of(c.Redeem(ctx, "a", "order", hundred)), coupon.ErrInvalid, name)
		require.ErrorIs(t, of(c.Coupon(ctx, "a")), coupon.ErrInvalid, name)
		_, _, err = store.Terms(ctx, 1, 1)
		require.ErrorIs(t, err, coupon.ErrInvalid, name)
	}
	for _, c := range []stock.Companion{coupon.GiveBack{To: coupon.Usable}, redpacket.Grab{Packet: 1, Person: "7"}, nil} {
		require.ErrorIs(t, of(sqlstore.NewCoupon(db, nil).Units().Void(ctx, "a", c)), coupon.ErrInvalid)
	}
	use := coupon.Use{Coupon: "a", Order: "b", Places: 2, Total: hundred.Neg()}
	require.ErrorIs(t, of(sqlstore.NewCoupon(db, nil).Use(ctx, coupon.StepReserve, use, holdFor)), coupon.ErrInvalid)
	require.ErrorIs(t, of(sqlstore.NewCoupon(db, nil).AddTerms(ctx, 1, 1, coupon.Terms{Places: 99})), coupon.ErrInvalid)
	require.NoError(t, mock.ExpectationsWereMet())
}
