package status

import (
	"fmt"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"
)

// perSecond shows a rate.
func perSecond(rate float64) string {
	switch {
	case rate == 0:
		return "0/s"
	case rate < 10:
		return strconv.FormatFloat(rate, 'g', 2, 64) + "/s"
	}
	return humanize.Comma(int64(rate+0.5)) + "/s"
}

// count shows a number.
func count(n float64) string { return humanize.Comma(int64(n + 0.5)) }

// duration shows a short time in seconds.
func duration(seconds float64) string {
	switch {
	case seconds == 0:
		return "–"
	case seconds < 0.001:
		return fmt.Sprintf("%.2g ms", seconds*1000)
	case seconds < 1:
		return strconv.FormatFloat(round2(seconds*1000), 'g', -1, 64) + " ms"
	}
	return strconv.FormatFloat(round2(seconds), 'g', -1, 64) + " s"
}

// round2 rounds to two digits.
func round2(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 2, 64), 64)
	if err != nil {
		return v
	}
	return r
}

// span shows a time of any length in two units at the most.
func span(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// size shows bytes.
func size(n uint64) string { return humanize.IBytes(n) }

// utc shows an instant that is RFC 3339 as clock does.
func utc(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return clock(t)
}

// clock shows an instant; the zero time: that there is none.
func clock(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}
