package status

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"
)

// The drawing of a chart, in the units of its view box.
const (
	chartWidth, chartHeight   = 320.0, 120.0
	plotTop, plotBottom       = 14.0, 102.0
	plotLeft, plotRight       = 2.0, 318.0
	shortestSpan, longestSpan = 10 * time.Minute, time.Hour
)

// chart is one small chart of the page.
type chart struct {
	Title  string
	Series []series
	Max    string // the top of its scale
	Span   string // how far back it goes
	Text   string // what it shows, in words
	Empty  bool

	until time.Time
	span  time.Duration
	max   float64
}

// series is one line of a chart.
type series struct {
	Name, Now string
	Class     string // of its line
	Line      string // points, or a path that is closed at the bottom
	Area      string
}

// measure is what a series shows of a sample.
type measure struct {
	name   string
	of     func(Sample) float64
	format func(float64) string
}

// newChart draws measures of samples, oldest first.
func newChart(title string, all []Sample, now time.Time, measures ...measure) chart {
	c := chart{Title: title, until: now, span: shortestSpan, Empty: len(all) == 0}
	for _, s := range all {
		c.span = min(max(c.span, now.Sub(s.At)), longestSpan)
		for _, m := range measures {
			c.max = max(c.max, m.of(s))
		}
	}
	c.max = niceMax(c.max)
	c.Max, c.Span = measures[0].format(c.max), fmt.Sprintf("−%.0f min", math.Ceil(c.span.Minutes()))
	var words []string
	for i, m := range measures {
		s := series{Name: m.name, Class: fmt.Sprint("line", i+1), Now: "–"}
		if !c.Empty {
			s.Now = m.format(m.of(all[len(all)-1]))
			s.Line = c.points(all, m.of)
			s.Area = c.area(all, s.Line)
		}
		c.Series = append(c.Series, s)
		words = append(words, m.name+" "+s.Now)
	}
	c.Text = fmt.Sprintf("%s over the last %.0f minutes, now: %s", title, math.Ceil(c.span.Minutes()),
		strings.Join(words, ", "))
	return c
}

func (c *chart) x(at time.Time) float64 {
	back := min(1, max(0, c.until.Sub(at).Seconds()/c.span.Seconds()))
	return plotRight - back*(plotRight-plotLeft)
}

func (c *chart) y(value float64) float64 { return plotBottom - value/c.max*(plotBottom-plotTop) }

// points are the points of a line, from the beginning of the first interval.
func (c *chart) points(all []Sample, of func(Sample) float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%.1f,%.1f ", c.x(all[0].At.Add(-sampleInterval)), c.y(of(all[0])))
	for _, s := range all {
		fmt.Fprintf(&b, "%.1f,%.1f ", c.x(s.At), c.y(of(s)))
	}
	return strings.TrimSpace(b.String())
}

// area is the polygon below a line.
func (c *chart) area(all []Sample, line string) string {
	return fmt.Sprintf("%.1f,%.1f %s %.1f,%.1f", c.x(all[0].At.Add(-sampleInterval)), plotBottom, line,
		c.x(all[len(all)-1].At), plotBottom)
}

// niceMax returns 1, 2 or 5 times a power of ten that is not below the value.
func niceMax(value float64) float64 {
	if value <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(value)))
	for _, n := range []float64{1, 2, 5} {
		if n*power >= value {
			return n * power
		}
	}
	return 10 * power
}

// SVG returns the drawing.
func (c *chart) SVG() template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, chartWidth, chartHeight,
		template.HTMLEscapeString(c.Text))
	for _, at := range []float64{plotTop, (plotTop + plotBottom) / 2, plotBottom} {
		fmt.Fprintf(&b, `<line class="grid" x1="%g" x2="%g" y1="%g" y2="%g"/>`, plotLeft, plotRight, at, at)
	}
	for i := len(c.Series) - 1; i >= 0; i-- {
		s := c.Series[i]
		if i == 0 && s.Area != "" {
			fmt.Fprintf(&b, `<polygon class="area" points="%s"/>`, s.Area)
		}
		fmt.Fprintf(&b, `<polyline class="%s" points="%s"/>`, s.Class, s.Line)
	}
	fmt.Fprintf(&b, `<text x="%g" y="10">%s</text>`, plotLeft, template.HTMLEscapeString(c.Max))
	fmt.Fprintf(&b, `<text x="%g" y="116">%s</text>`, plotLeft, c.Span)
	fmt.Fprintf(&b, `<text class="end" x="%g" y="116">now</text></svg>`, plotRight)
	return template.HTML(b.String()) //nolint:gosec // made of numbers and escaped texts
}

// charts returns the charts of the page.
func charts(all []Sample, now time.Time) []chart {
	return []chart{
		newChart("Throughput", all, now,
			measure{"accepted", func(s Sample) float64 { return s.Accepted }, perSecond},
			measure{"published", func(s Sample) float64 { return s.Published }, perSecond}),
		newChart("Answer time", all, now,
			measure{"p99", func(s Sample) float64 { return s.Answer99 }, duration},
			measure{"median", func(s Sample) float64 { return s.Answer50 }, duration}),
		newChart("Publish time", all, now,
			measure{"p99", func(s Sample) float64 { return s.Publish99 }, duration},
			measure{"median", func(s Sample) float64 { return s.Publish50 }, duration}),
		newChart("Waiting events", all, now,
			measure{"outbox", func(s Sample) float64 { return s.Outbox }, count},
			measure{"on hold", func(s Sample) float64 { return s.Held }, count}),
	}
}
