package main

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// plot draws a bar for each ratio, the range of the runs across it, into an SVG
// file. The scale is logarithmic: half as fast is as far from 1 as twice.
func (r *report) plot(file string) error {
	p := plot.New()
	p.Title.Text = "How many times as fast as the peer in the same run"
	p.X.Label.Text = "ratio, logarithmic"
	p.X.Scale = plot.LogScale{}
	p.X.Tick.Marker = plot.TickerFunc(ticks)
	p.BackgroundColor = color.White

	lines := slices.Clone(r.lines)
	slices.Reverse(lines) // the first stands on top
	names := make([]string, len(lines))
	bars := make(plotter.XYs, len(lines))
	ranges := &whiskers{}
	low, high := 1.0, 1.0
	for i, l := range lines {
		median, from, to := l.ratio()
		if from <= 0 || math.IsInf(to, 0) || math.IsNaN(median) {
			return fmt.Errorf("%s: a ratio of %v can't be drawn", l.name, from)
		}
		names[i] = fmt.Sprintf("%s  %.1f", l.name, median)
		bars[i] = plotter.XY{X: median, Y: float64(i)}
		ranges.add(from, to, float64(i))
		low, high = min(low, from), max(high, to)
	}
	p.NominalY(names...)
	p.X.Min, p.X.Max = low/1.1, high*1.1
	p.Y.Min, p.Y.Max = -0.7, float64(len(lines))-0.3
	one, err := plotter.NewLine(plotter.XYs{{X: 1, Y: -0.7}, {X: 1, Y: float64(len(lines)) - 0.3}})
	if err != nil {
		return err
	}
	one.Color = color.Gray{Y: 96}
	p.Add(&horizontal{points: bars}, ranges, one)
	height := vg.Length(len(lines))*13 + 70
	return p.Save(9*vg.Inch, height, file)
}

// ticks of a logarithmic axis of ratios.
func ticks(low, high float64) (t []plot.Tick) {
	for _, v := range []float64{0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500} {
		if v >= low && v <= high {
			t = append(t, plot.Tick{Value: v, Label: fmt.Sprint(v)})
		}
	}
	return t
}

// horizontal draws bars from 1 to each point.
type horizontal struct{ points plotter.XYs }

func (h *horizontal) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, pt := range h.points {
		fill := color.Color(color.RGBA{R: 0x2b, G: 0x6c, B: 0xb0, A: 0xff})
		if pt.X < 1 {
			fill = color.RGBA{R: 0xc0, G: 0x56, B: 0x21, A: 0xff}
		}
		c.FillPolygon(fill, []vg.Point{
			{X: x(1), Y: y(pt.Y) - 4}, {X: x(pt.X), Y: y(pt.Y) - 4},
			{X: x(pt.X), Y: y(pt.Y) + 4}, {X: x(1), Y: y(pt.Y) + 4},
		})
	}
}

// whiskers draws the range of each line.
type whiskers struct{ from, to, at []float64 }

func (w *whiskers) add(from, to, at float64) {
	w.from, w.to, w.at = append(w.from, from), append(w.to, to), append(w.at, at)
}

func (w *whiskers) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := draw.LineStyle{Color: color.Black, Width: 0.7}
	for i, at := range w.at {
		c.StrokeLine2(style, x(w.from[i]), y(at), x(w.to[i]), y(at))
	}
}
