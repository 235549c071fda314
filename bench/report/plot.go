package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// rowHeight is a line's, in points; its bars share three quarters of it.
const rowHeight = 20

// The typeface whose widths the plot is laid out with, and those that a viewer may
// show in its place: the same widths, and the next best.
const (
	typeface  = "Liberation Sans"
	typefaces = typeface + ",Arial,Helvetica,sans-serif"
)

// slack is left beside the names of the lines for one that is wider, in points.
const slack = 36

// fills are the colours of bars by the number of cores, the least first: where we
// are faster, and where the peer is.
var fills = [][2]color.Color{
	{color.RGBA{R: 0x2b, G: 0x6c, B: 0xb0, A: 0xff}, color.RGBA{R: 0xc0, G: 0x56, B: 0x21, A: 0xff}},
	{color.RGBA{R: 0x90, G: 0xbc, B: 0xe4, A: 0xff}, color.RGBA{R: 0xf0, G: 0xae, B: 0x84, A: 0xff}},
}

// plot draws the ratios of each line into an SVG file: a bar for each number of
// cores, up to two, and the range of the runs across it. The scale is logarithmic:
// half as fast is as far from 1 as twice.
func (r *report) plot(file string) error {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	p := plot.New()
	p.Title.Text = "How many times as fast as the peer in the same run"
	p.X.Label.Text = "above 1: nonet is faster; logarithmic"
	p.X.Scale = plot.LogScale{}
	p.X.Tick.Marker = plot.TickerFunc(ticks)
	p.BackgroundColor = color.White
	cores := r.allCores()
	cores = cores[:min(len(cores), len(fills))]
	if len(cores) == 2 {
		p.Title.Text += fmt.Sprintf(" (dark: %s, light: %s)", coreCount(cores[0]), coreCount(cores[1]))
	}

	n := len(r.lines)
	names := make([]string, n)
	b := &bars{thick: rowHeight * 3 / 4 / float64(len(cores)), style: p.X.Tick.Label}
	b.style.Font.Size = 8
	b.style.XAlign, b.style.YAlign = text.XLeft, text.YCenter
	low, high := 1.0, 1.0
	for i, l := range r.lines {
		row := n - 1 - i // the first stands on top
		names[row] = l.label() + " vs " + l.peer
		for j, c := range cores {
			v := l.cores[c]
			if v == nil {
				continue
			}
			median, from, to := v.ratio()
			if from <= 0 || math.IsInf(to, 0) || math.IsNaN(median) {
				return fmt.Errorf("%s: a ratio of %v can't be drawn", l.name, from)
			}
			// Bars of a row lie below each other around its middle.
			shift := (float64(len(cores)-1)/2 - float64(j)) * b.thick
			b.all = append(b.all, bar{float64(row), shift, median, from, to, fills[j]})
			low, high = min(low, from), max(high, to)
		}
	}
	p.NominalY(names...)
	p.Y.Padding = slack
	p.X.Min, p.X.Max = low/1.1, high*1.3 // room for the figure
	p.Y.Min, p.Y.Max = -0.7, float64(n)-0.3
	one, err := plotter.NewLine(plotter.XYs{{X: 1, Y: p.Y.Min}, {X: 1, Y: p.Y.Max}})
	if err != nil {
		return err
	}
	one.Color = color.Gray{Y: 96}
	grid := plotter.NewGrid()
	grid.Horizontal.Width = 0
	p.Add(grid, b, one)
	return save(p, 10*vg.Inch, vg.Length(n)*rowHeight+80, file)
}

// save writes a plot with a margin.
func save(p *plot.Plot, width, height vg.Length, file string) error {
	svg := vgsvg.New(width, height)
	c := draw.New(svg)
	c.SetColor(p.BackgroundColor)
	c.Fill(c.Rectangle.Path())
	p.Draw(draw.Crop(c, 8, -8, 6, -6))
	var out bytes.Buffer
	if _, err := svg.WriteTo(&out); err != nil {
		return err
	}
	const name = "font-family:"
	b := bytes.ReplaceAll(out.Bytes(), []byte(name+typeface+";"), []byte(name+typefaces+";"))
	return os.WriteFile(file, b, 0o644)
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

// bars draws bars from 1 to each ratio, the range of the runs, and the figure.
type bars struct {
	thick float64 // points
	style text.Style
	all   []bar
}

type bar struct {
	row, shift       float64
	median, from, to float64
	fill             [2]color.Color
}

func (h *bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	half := vg.Length(h.thick/2 - 0.5)
	thin := draw.LineStyle{Color: color.Gray{Y: 64}, Width: 0.7}
	for _, b := range h.all {
		fill := b.fill[0]
		if b.median < 1 {
			fill = b.fill[1]
		}
		at := y(b.row) + vg.Length(b.shift)
		c.FillPolygon(fill, []vg.Point{
			{X: x(1), Y: at - half}, {X: x(b.median), Y: at - half},
			{X: x(b.median), Y: at + half}, {X: x(1), Y: at + half},
		})
		c.StrokeLine2(thin, x(b.from), at, x(b.to), at)
		c.FillText(h.style, vg.Point{X: max(x(b.to), x(1)) + 3, Y: at}, fmt.Sprintf("%.2g", b.median))
	}
}
