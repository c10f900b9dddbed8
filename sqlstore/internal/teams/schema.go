package teams

import (
	"database/sql"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// schema returns how the tables keep activities and products.
func schema() *activities.Schema[groupbuy.Activity, groupbuy.Product] {
	return &activities.Schema[groupbuy.Activity, groupbuy.Product]{
		Kind: groupbuy.Kind{}, Activities: "egl_group", Products: "egl_group_product",
		ActivityColumns: activityColumns, ProductColumns: productColumns,
		ActivityTargets: activityTargets, ProductTargets: productTargets,
		SetActivity:  "TITLE, IMAGE, FORM_MINUTES, HIDDEN, START_TIME, END_TIME, OUTLIVE, SORT",
		SetProduct:   "SPU_ID, NAME, SPEC, " + termColumns + ", ORDER_LIMIT, BUYER_LIMIT, STATE, STOCK_NUM, RETURN_NUM",
		ActivityArgs: activityArgs, ProductArgs: productArgs,
		BlankActivity: activities.Blank{Columns: "TITLE, IMAGE, FORM_MINUTES, END_TIME", Values: "x'', x'', 0, " + mysql.Now},
		BlankProduct: activities.Blank{
			Columns: "NAME, SPEC, PLACES, PRICE, GROUP_PRICE, PEOPLE_LIMIT, VOLUME_LIMIT, VOLUME_UNITS, STATE, STOCK_NUM",
			Values:  "x'', x'', 0, 0, 0, 2, 0, 1, 0, 0",
		},
	}
}

// activityColumns are the columns of an activity a, in the order of activityTargets.
var activityColumns = "a.ID, a.TITLE, a.IMAGE, a.FORM_MINUTES, a.HIDDEN, " + mysql.Micros("a.START_TIME") + ", " +
	mysql.Micros("a.END_TIME") +
	", a.OUTLIVE, a.SORT, " + mysql.Micros("a.OVER_TIME") + ", " + mysql.Micros("a.CREATE_TIME") + ", " + mysql.Micros("a.UPDATE_TIME") +
	", a.VERSION"

// productColumns are the columns of a product g, in the order of productTargets.
var productColumns = "g.ACTIVITY_ID, g.SKU_ID, g.SPU_ID, g.NAME, g.SPEC, g." + strings.ReplaceAll(termColumns, ", ", ", g.") +
	", g.ORDER_LIMIT, g.BUYER_LIMIT, g.STATE, g.STOCK_NUM, g.FORMED_NUM, g.RETURN_NUM" +
	", " + mysql.Micros("g.CREATE_TIME") + ", " + mysql.Micros("g.UPDATE_TIME") + ", g.VERSION"

// activityTargets scan activityColumns.
func activityTargets(a *groupbuy.Activity) []any {
	minutes := activities.Number(func(n sql.NullInt64) { a.Formation = time.Duration(n.Int64) * time.Minute })
	return []any{
		&a.ID, &a.Title, &a.Image, minutes, &a.Hidden, activities.Time(&a.Start), activities.Time(&a.End), &a.Outlive, &a.Sort,
		activities.Time(&a.EndedAt), activities.Time(&a.CreatedAt), activities.Time(&a.UpdatedAt), &a.Version,
	}
}

// activityArgs returns what is written of an activity.
func activityArgs(a groupbuy.Activity) []any {
	return []any{a.Title, a.Image, int64(a.Formation / time.Minute), a.Hidden, a.Start, a.End, a.Outlive, a.Sort}
}

// productTargets scan productColumns.
func productTargets(p *groupbuy.Product) []any {
	targets := append([]any{&p.Activity, &p.SKU, &p.SPU, &p.Name, &p.Spec}, termTargets(&p.Terms)...)
	return append(targets, &p.PerOrder, &p.PerBuyer, &p.State, &p.Allotted, &p.Formed, &p.Returns, activities.Time(&p.CreatedAt),
		activities.Time(&p.UpdatedAt), &p.Version)
}

// productArgs returns what is written of a product.
func productArgs(p groupbuy.Product) ([]any, error) {
	terms, err := termArgs(p.Terms)
	args := append([]any{p.SPU, p.Name, p.Spec}, terms...)
	return append(args, p.PerOrder, p.PerBuyer, int64(p.State), p.Allotted, p.Returns), err
}
