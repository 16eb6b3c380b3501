package ghapi

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// meter counts requests to GitHub.
type meter struct {
	requests *prometheus.CounterVec
	left     prometheus.Gauge
}

func newMeter(reg prometheus.Registerer) (*meter, error) {
	m := &meter{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gantry_github_requests_total", Help: "Requests to GitHub's API by status code.",
		}, []string{"code"}),
		left: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "gantry_github_rate_remaining", Help: "Requests left of the primary rate limit, as the last answer said.",
		}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.left} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *meter) request(code string) { m.requests.WithLabelValues(code).Inc() }

func (m *meter) remaining(header string) {
	if n, err := strconv.Atoi(header); err == nil {
		m.left.Set(float64(n))
	}
}
