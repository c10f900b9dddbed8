package load

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

// The size of a chart, and the place that the names at the right of it take, in units of the SVG.
const (
	chartWidth  = 760
	chartHeight = 430
	namesWidth  = 185
)

// muted is readable on white and on black, so that a chart looks right in the light and in the dark.
var muted = color.NRGBA{R: 0x80, G: 0x88, B: 0x90, A: 0xff}

var faint = color.NRGBA{R: muted.R, G: muted.G, B: muted.B, A: 0x38}

// colors of the contenders, on white and on black alike. The others of one family share a colour.
var colors = map[string]color.NRGBA{
	contender.Along:          {R: 0x1f, G: 0x9d, B: 0x55, A: 0xff},
	contender.WithTx:         {R: 0x6b, G: 0xb8, B: 0x8b, A: 0xff},
	contender.RedisRow:       {R: 0xe0, G: 0x4f, B: 0x3f, A: 0xff},
	contender.RedisQueue:     {R: 0xe0, G: 0x8a, B: 0x6d, A: 0xff},
	contender.ByHand:         {R: 0x3f, G: 0x7f, B: 0xd6, A: 0xff},
	contender.UnitRows:       {R: 0x8d, G: 0x75, B: 0xc9, A: 0xff},
	contender.Batches:        muted,
	contender.Ours:           {R: 0x1f, G: 0x9d, B: 0x55, A: 0xff},
	contender.Unmerged:       {R: 0x6b, G: 0xb8, B: 0x8b, A: 0xff},
	contender.RedisAlways:    {R: 0xe0, G: 0x4f, B: 0x3f, A: 0xff},
	contender.RedisEverysec:  {R: 0xe0, G: 0x8a, B: 0x6d, A: 0xff},
	contender.RedisPipelined: {R: 0xc2, G: 0x5b, B: 0x9a, A: 0xff},
	contender.ForUpdate:      {R: 0x3f, G: 0x7f, B: 0xd6, A: 0xff},
	contender.Guarded:        {R: 0x3b, G: 0xa0, B: 0xb5, A: 0xff},
	contender.Published:      {R: 0xb0, G: 0x8a, B: 0x2e, A: 0xff},
	contender.Optimistic:     {R: 0x8d, G: 0x75, B: 0xc9, A: 0xff},
	contender.Limit:          muted,
}

// Chart is one of those of an engine.
type Chart struct {
	Name string // what comes behind the name of the engine in that of its file
	SVG  []byte
}

// Charts draws what was measured of order rows with their Locks, and of the bare Lock: how many a second over the number of callers
// and the 99th percentile of the latency, a line for each contender. The limits have no latency: nobody waits.
func Charts(results *Results) ([]Chart, error) {
	var charts []Chart
	for _, scenario := range []struct {
		Scenario
		suffix, what string
	}{{Order, "", "orders with their row, of one SKU"}, {Lock, "-lock", "Locks of one SKU"}} {
		lines := linesOf(results, scenario.Scenario, func(r *Result) float64 { return r.Rate })
		late := linesOf(results, scenario.Scenario, func(r *Result) float64 { return float64(r.P99) })
		late = slices.DeleteFunc(late, func(l line) bool { return l.kind.Limit() })
		if len(lines) == 0 || len(late) == 0 {
			continue
		}
		rate, err := drawChart(lines, results.Engine+": "+scenario.what+" per second, by concurrent callers", thousands)
		if err != nil {
			return nil, err
		}
		p99, err := drawChart(late, results.Engine+": "+scenario.what+", latency p99, by concurrent callers",
			func(f float64) string { return plain(time.Duration(f) * time.Microsecond) })
		if err != nil {
			return nil, err
		}
		charts = append(charts, Chart{scenario.suffix, rate}, Chart{scenario.suffix + "-p99", p99})
	}
	if charts == nil {
		return nil, errors.New("load: nothing to draw: neither orders nor Locks of one SKU by one process were measured")
	}
	return charts, nil
}

// line is what a contender has in a chart.
type line struct {
	kind   contender.Kind
	points plotter.XYs
}

// plain writes a power of ten.
func plain(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// linesOf collects what is to be drawn: what one process does with one SKU without delay.
func linesOf(results *Results, scenario Scenario, value func(*Result) float64) []line {
	var lines []line
	for _, kind := range contender.Kinds() {
		l := line{kind: kind}
		for _, r := range results.All() {
			if r.setting == (setting{Scenario: scenario, SKUs: 1, Processes: 1}) && r.Contender == kind.Name && value(r) > 0 {
				l.points = append(l.points, plotter.XY{X: float64(r.Callers), Y: value(r)})
			}
		}
		slices.SortFunc(l.points, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
		if len(l.points) > 0 {
			lines = append(lines, l)
		}
	}
	return lines
}

func drawChart(lines []line, title string, format func(float64) string) ([]byte, error) {
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.Text = title
	p.Title.Padding = 10
	p.Title.TextStyle.Color = muted
	p.Title.TextStyle.Font = sans(14)
	p.Title.TextStyle.Handler = plot.DefaultTextHandler
	for axis, ticks := range map[*plot.Axis]plot.Ticker{&p.X: callerTicks(lines), &p.Y: decadeTicks(format)} {
		axis.Scale = plot.LogScale{}
		axis.Color, axis.Tick.Color, axis.Tick.Label.Color = muted, muted, muted
		axis.Tick.Label.Font = sans(11)
		axis.Tick.Marker = ticks
		axis.Padding = 6
	}
	p.Y.Tick.Length, p.Y.Width = 0, 0
	p.X.Min, p.X.Max = lowest(lines, func(xy plotter.XY) float64 { return xy.X }), highest(lines, func(xy plotter.XY) float64 { return xy.X })
	p.Y.Min = math.Pow(10, math.Floor(math.Log10(lowest(lines, func(xy plotter.XY) float64 { return xy.Y }))))
	p.Y.Max = math.Pow(10, math.Ceil(math.Log10(highest(lines, func(xy plotter.XY) float64 { return xy.Y }))))
	p.X.Max = max(p.X.Max, p.X.Min*2)
	p.Y.Max = max(p.Y.Max, p.Y.Min*10)
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = nil, faint
	p.Add(grid)
	slices.SortStableFunc(lines, func(a, b line) int { return onTop(a) - onTop(b) })
	for _, l := range lines {
		if err := addLine(p, l); err != nil {
			return nil, err
		}
	}

	canvas := vgsvg.New(chartWidth, chartHeight)
	all := draw.New(canvas)
	area := draw.Crop(all, 8, -namesWidth, 8, -8)
	p.Draw(area)
	writeNames(p, lines, all, p.DataCanvas(area))
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return nil, fmt.Errorf("load: drawing: %w", err)
	}
	return svg.Bytes(), nil
}

// sans is what browsers have, by its metrics.
func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// standsOut reports whether a line is this library at its best.
func (l line) standsOut() bool {
	return l.kind.Name == contender.Ours || l.kind.Name == contender.Along
}

// onTop orders what is drawn: this library over the others.
func onTop(l line) int {
	if l.standsOut() {
		return 1
	}
	return 0
}

// addLine adds a contender. This library stands out; a limit, which has no callers, is a level.
func addLine(p *plot.Plot, l line) error {
	points := l.points
	if l.kind.Limit() {
		points = plotter.XYs{{X: p.X.Min, Y: points[0].Y}, {X: p.X.Max, Y: points[0].Y}}
	}
	drawn, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return fmt.Errorf("load: drawing %s: %w", l.kind.Name, err)
	}
	drawn.Color, dots.Color = colors[l.kind.Name], colors[l.kind.Name]
	drawn.Width, dots.Radius, dots.Shape = 1.6, 2.2, draw.CircleGlyph{}
	switch {
	case l.standsOut():
		drawn.Width, dots.Radius = 3, 3.4
	case l.kind.Limit():
		drawn.Dashes, dots.Radius = []vg.Length{5, 4}, 0
	}
	p.Add(drawn, dots)
	return nil
}

// writeNames puts the name of each contender beside the end of its line, in the order of the ends and never over each other.
func writeNames(p *plot.Plot, lines []line, all, area draw.Canvas) {
	const apart = 15
	last := func(l line) float64 { return l.points[len(l.points)-1].Y }
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(last(a), last(b)) })
	places := make([]vg.Length, len(lines))
	for i, l := range lines {
		places[i] = area.Y(p.Y.Norm(last(l)))
		if i > 0 {
			places[i] = max(places[i], places[i-1]+apart)
		}
	}
	top := area.Max.Y
	for i := len(places) - 1; i >= 0; i-- {
		places[i] = min(places[i], top)
		top = places[i] - apart
	}
	for i, l := range lines {
		style := text.Style{Color: colors[l.kind.Name], Font: sans(11.5), YAlign: text.YCenter, Handler: plot.DefaultTextHandler}
		if l.standsOut() {
			style.Font.Size = 13
		}
		end := vg.Point{X: area.X(p.X.Norm(l.points[len(l.points)-1].X)), Y: area.Y(p.Y.Norm(last(l)))}
		if l.kind.Limit() {
			end.X = area.Max.X
		}
		at := vg.Point{X: area.Max.X + 18, Y: places[i]}
		all.StrokeLine2(draw.LineStyle{Color: colors[l.kind.Name], Width: 0.6}, end.X+4, end.Y, at.X-4, at.Y)
		all.FillText(style, at, l.kind.Title)
	}
}

// callerTicks are the numbers of callers that were measured.
func callerTicks(lines []line) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for _, l := range lines {
		for _, xy := range l.points {
			if !slices.ContainsFunc(ticks, func(t plot.Tick) bool { return t.Value == xy.X }) {
				ticks = append(ticks, plot.Tick{Value: xy.X, Label: thousands(xy.X)})
			}
		}
	}
	return ticks
}

// decadeTicks are powers of ten.
func decadeTicks(format func(float64) string) plot.TickerFunc {
	return func(low, high float64) []plot.Tick {
		var ticks []plot.Tick
		for at := math.Pow(10, math.Floor(math.Log10(low))); at <= high*1.001; at *= 10 {
			ticks = append(ticks, plot.Tick{Value: at, Label: format(at)})
		}
		return ticks
	}
}

func lowest(lines []line, of func(plotter.XY) float64) float64 {
	return -highest(lines, func(xy plotter.XY) float64 { return -of(xy) })
}

func highest(lines []line, of func(plotter.XY) float64) float64 {
	best := math.Inf(-1)
	for _, l := range lines {
		for _, xy := range l.points {
			best = max(best, of(xy))
		}
	}
	return best
}
