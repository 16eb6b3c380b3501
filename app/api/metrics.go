package api

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	assigned prometheus.Counter
	lost     prometheus.Counter
	appended *prometheus.CounterVec
}

// newMetrics registers with r, if there is one; connected counts the streams.
func newMetrics(r prometheus.Registerer, connected func() int) metrics {
	m := metrics{
		assigned: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "gantry_leases_total", Help: "Targets leased to runs.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "gantry_leases_lost_total", Help: "Leases lost by silence of their runner.",
		}),
		appended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gantry_appended_bytes_total", Help: "Bytes that runners have uploaded, resent ones counted again.",
		}, []string{"stream"}),
	}
	if r != nil {
		r.MustRegister(m.assigned, m.lost, m.appended, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "gantry_runners_connected", Help: "Runners with a stream to this replica.",
		}, func() float64 { return float64(connected()) }))
	}
	return m
}
