package status

import (
	"math"

	dto "github.com/prometheus/client_model/go"
)

// histogram is how many observations are at most each bound, with those of all series added.
type histogram struct {
	bounds []float64
	counts []float64 // cumulative; of the same length
}

func histogramOf(f *dto.MetricFamily) (h histogram) {
	for _, m := range f.GetMetric() {
		buckets := m.GetHistogram().GetBucket()
		last := len(buckets) // that of everything, which the library leaves out
		if h.bounds == nil {
			h.bounds, h.counts = make([]float64, last+1), make([]float64, last+1)
			h.bounds[last] = math.Inf(1)
		}
		for i, b := range buckets {
			h.bounds[i] = b.GetUpperBound()
			h.counts[i] += float64(b.GetCumulativeCount())
		}
		h.counts[last] += float64(m.GetHistogram().GetSampleCount())
	}
	return h
}

// minus returns the observations since an earlier reading.
func (h histogram) minus(before histogram) histogram {
	out := histogram{bounds: h.bounds, counts: append([]float64{}, h.counts...)}
	for i := range min(len(out.counts), len(before.counts)) {
		out.counts[i] = max(0, out.counts[i]-before.counts[i])
	}
	return out
}

// quantile returns the value that a part of the observations does not exceed, interpolated in its bucket; 0: there are
// none. What is above the last bound counts as that.
func (h histogram) quantile(part float64) float64 {
	n := len(h.counts)
	if n == 0 || h.counts[n-1] == 0 {
		return 0
	}
	rank, below, lower := part*h.counts[n-1], 0.0, 0.0
	for i, count := range h.counts {
		if count >= rank && count > below {
			if math.IsInf(h.bounds[i], 1) {
				return lower
			}
			return lower + (h.bounds[i]-lower)*(rank-below)/(count-below)
		}
		below, lower = count, h.bounds[i]
	}
	return lower
}
